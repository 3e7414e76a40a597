package opener

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ftpalg/cmd/internal/acme/order"
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
	files, err := pairsOf(t)
	if err != nil {
		files = nil
		k.Pairs = former.Pairs
	}
	problems := []error{err}
	for _, f := range files {
		p, err := f.read()
		if err != nil {
			problems = append(problems, err)
			i := slices.IndexFunc(former.Pairs, func(p Pair) bool { return p.File == f.certificate })
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

// pairFiles are the files of a pair.
type pairFiles struct{ certificate, key string }

func (f pairFiles) read() (p Pair, err error) {
	p.File = f.certificate
	if p.Certificate, err = os.ReadFile(f.certificate); err != nil {
		return p, err
	}
	if p.Key, err = os.ReadFile(f.key); err != nil {
		return p, err
	}
	if _, err = tls.X509KeyPair(p.Certificate, p.Key); err != nil {
		return p, fmt.Errorf("%s and %s: %w", f.certificate, f.key, err)
	}
	return p, nil
}

// pairsOf lists the pairs of a listener, that in front which serves clients that
// name none.
func pairsOf(t *config.TLS) (all []pairFiles, err error) {
	for i := range t.Certificates {
		all = append(all, pairFiles{t.Certificates[i], t.Keys[i]})
	}
	if t.ACME != nil {
		for _, name := range t.ACME.Names {
			if pair := order.Pair(t.ACME.Storage, name); exists(pair) { // else it has yet to come
				all = append(all, pairFiles{pair, pair})
			}
		}
	}
	if t.Folder == "" {
		return all, nil
	}
	entries, err := os.ReadDir(t.Folder)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		f, ok := pairIn(t.Folder, e)
		switch {
		case !ok:
		case strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())) == defaultPair:
			all = slices.Insert(all, 0, f)
		default:
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no certificate: NAME.crt or NAME.pem beside NAME.key, or a folder NAME with fullchain.pem and privkey.pem, or tls.crt and tls.key", t.Folder)
	}
	return all, nil
}

// defaultPair is the name of the pair that serves clients which name none.
const defaultPair = "default"

// pairIn returns the pair that an entry of a folder stands for: NAME.key has its
// certificate beside it, and a folder has both, as certbot or Kubernetes name
// them.
func pairIn(folder string, e os.DirEntry) (f pairFiles, ok bool) {
	path := filepath.Join(folder, e.Name())
	if base, isKey := strings.CutSuffix(path, ".key"); isKey {
		if f = (pairFiles{base + ".crt", path}); !exists(f.certificate) {
			f.certificate = base + ".pem"
		}
		return f, !strings.HasPrefix(e.Name(), ".")
	}
	for _, f := range []pairFiles{{"fullchain.pem", "privkey.pem"}, {"tls.crt", "tls.key"}} {
		f.certificate, f.key = filepath.Join(path, f.certificate), filepath.Join(path, f.key)
		if exists(f.key) && !strings.HasPrefix(e.Name(), ".") {
			return f, true
		}
	}
	return f, false
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
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
