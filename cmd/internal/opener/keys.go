package opener

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"os"
	"slices"

	"ftpalg/cmd/internal/config"
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

// Pair is a certificate with its chain, and its key, in PEM.
type Pair struct{ Certificate, Key []byte }

// ReadKeys reads the certificates of every listener, by its name, and sees
// that each fits its key.
func ReadKeys(c *config.Config) (map[string]Keys, error) {
	all := make(map[string]Keys)
	for i := range c.Listeners {
		l := &c.Listeners[i]
		if !l.TLS.Mode.EndsHere() && l.ServerTLS.CA == "" {
			continue
		}
		k, err := readKeys(&l.TLS)
		if err != nil {
			return nil, fmt.Errorf("listener %s: tls: %w", l.Name, err)
		}
		if k.ServerCA, err = readCA(l.ServerTLS.CA); err != nil {
			return nil, fmt.Errorf("listener %s: server_tls: %w", l.Name, err)
		}
		all[l.Name] = k
	}
	return all, nil
}

func readKeys(t *config.TLS) (k Keys, err error) {
	for i := range t.Certificates {
		var p Pair
		if p.Certificate, err = os.ReadFile(t.Certificates[i]); err != nil {
			return k, err
		}
		if p.Key, err = os.ReadFile(t.Keys[i]); err != nil {
			return k, err
		}
		if _, err := tls.X509KeyPair(p.Certificate, p.Key); err != nil {
			return k, fmt.Errorf("%s and %s: %w", t.Certificates[i], t.Keys[i], err)
		}
		k.Pairs = append(k.Pairs, p)
	}
	k.ClientCA, err = readCA(t.ClientCA)
	return k, err
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
	keys, err := ReadKeys(o.config)
	switch {
	case err != nil && err.Error() != o.keysError:
		o.keysError = err.Error()
		o.log.Error("certificates cannot be used, the old ones stay in force", "event", "certificates_failed", "error", err)
		return
	case err != nil:
		return
	}
	o.keysError = ""
	if sameKeys(keys, o.keys) {
		return
	}
	if err := o.handOver(o.config, o.text, keys, windows{}, nil, false); err != nil {
		o.log.Error("certificates cannot be put in force", "event", "certificates_failed", "error", err)
		return
	}
	o.log.Info("certificates renewed", "event", "certificates_renewed")
}
