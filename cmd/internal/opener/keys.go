package opener

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/pairs"
)

// Keys are the certificates of a listener that is the end of its clients' TLS,
// as they stand in files that the worker may not read.
type Keys struct {
	Pairs []Pair
	// ClientCA are the authorities of clients' certificates, nil for none.
	ClientCA []byte
	// ServerCA are those of the server's, nil for the system's.
	ServerCA []byte
}

// Pair is a certificate with its chain, and its key, in PEM, and the file that has
// the certificate.
type Pair struct {
	File             string
	Certificate, Key []byte
}

// ReadKeys reads the certificates of every listener, by its name, and sees
// that each fits its key. In the place of a pair that does not, the former one of
// the same file stays. The error says which do not fit, and is nil if all do.
func ReadKeys(c *config.Config, former map[string]Keys) (map[string]Keys, error) {
	all := make(map[string]Keys)
	var problems []error
	for i := range c.Listeners {
		l := &c.Listeners[i]
		if !l.TLS.Mode.EndsHere() && l.ServerTLS.CA == "" {
			continue
		}
		k, err := readKeys(&l.TLS, former[l.Name])
		if err != nil {
			problems = append(problems, fmt.Errorf("listener %s: tls: %w", l.Name, err))
		}
		if k.ServerCA, err = readCA(l.ServerTLS.CA); err != nil {
			k.ServerCA = former[l.Name].ServerCA
			problems = append(problems, fmt.Errorf("listener %s: server_tls: %w", l.Name, err))
		}
		all[l.Name] = k
	}
	return all, errors.Join(problems...)
}

func readKeys(t *config.TLS, former Keys) (k Keys, err error) {
	files, err := pairs.Of(t, os.DirFS("/"))
	if err != nil {
		files = nil
		k.Pairs = former.Pairs
	}
	problems := []error{err}
	for _, f := range files {
		p, err := readPair(f)
		if err != nil {
			problems = append(problems, err)
			i := slices.IndexFunc(former.Pairs, func(p Pair) bool { return p.File == f.Certificate })
			if i < 0 {
				continue
			}
			p = former.Pairs[i]
		}
		k.Pairs = append(k.Pairs, p)
	}
	if k.ClientCA, err = readCA(t.ClientCA); err != nil {
		k.ClientCA = former.ClientCA
		problems = append(problems, err)
	}
	return k, errors.Join(problems...)
}

func readPair(f pairs.Files) (p Pair, err error) {
	p.File = f.Certificate
	if p.Certificate, err = os.ReadFile(f.Certificate); err != nil {
		return p, err
	}
	if p.Key, err = os.ReadFile(f.Key); err != nil {
		return p, err
	}
	if _, err = tls.X509KeyPair(p.Certificate, p.Key); err != nil {
		return p, fmt.Errorf("%s and %s: %w", f.Certificate, f.Key, err)
	}
	return p, nil
}

// readCA reads a file of certificates; nil without one.
func readCA(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return text, nil
}

func sameKeys(a, b map[string]Keys) bool {
	return maps.EqualFunc(a, b, func(a, b Keys) bool {
		return bytes.Equal(a.ClientCA, b.ClientCA) && bytes.Equal(a.ServerCA, b.ServerCA) && slices.EqualFunc(a.Pairs, b.Pairs, func(a, b Pair) bool {
			return bytes.Equal(a.Certificate, b.Certificate) && bytes.Equal(a.Key, b.Key)
		})
	})
}

// renew hands over certificates that have changed. What does not fit together
// leaves the old ones in force, and is said once.
func (o *Opener) renew() {
	o.changing.Lock()
	defer o.changing.Unlock()
	if o.stopped {
		return
	}
	keys, err := ReadKeys(o.config, o.keys)
	o.noteKeysError(err)
	if sameKeys(keys, o.keys) {
		return
	}
	if err := o.handOver(o.config, o.text, keys, windows{}, nil, false); err != nil {
		o.log.Error("certificates cannot be put in force", "event", "certificates_failed", "error", err)
		return
	}
	o.log.Info("certificates renewed", "event", "certificates_renewed")
}

// noteKeysError says once what is wrong with the certificates' files.
func (o *Opener) noteKeysError(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != o.keysError {
		o.log.Error("certificates cannot be used, the old ones stay in force", "event", "certificates_failed", "error", err)
	}
	o.keysError = text
}
