package doctor

import (
	"crypto/tls"
	"io/fs"
	"slices"
	"strings"
	"time"

	"ftpalg/cmd/internal/acme/order"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/pairs"
)

// Certificate is a file of a listener's tls.certificate.
type Certificate struct {
	Listener, File string
	// Asked says that it has yet to come from an authority.
	Asked bool
	// Err is why it cannot be used with its key, nil if it can.
	Err error
	// NotAfter is when it ends.
	NotAfter time.Time
}

// renewal is how long before its end a certificate should have been renewed.
const renewal = 14 * 24 * time.Hour

// certificates reads the certificates of the configuration.
func (l *looker) certificates(c *config.Config) {
	for i := range c.Listeners {
		t := &c.Listeners[i].TLS
		if !t.Mode.EndsHere() {
			continue
		}
		found, err := pairs.Of(t, l.Files)
		if err != nil {
			l.facts.Certificates = append(l.facts.Certificates, Certificate{Listener: c.Listeners[i].Name, File: t.Folder, Err: err})
		}
		for _, f := range found {
			one := Certificate{Listener: c.Listeners[i].Name, File: f.Certificate}
			one.NotAfter, one.Err = l.notAfter(f.Certificate, f.Key)
			l.facts.Certificates = append(l.facts.Certificates, one)
		}
		if t.ACME == nil {
			continue
		}
		for _, name := range t.ACME.Names {
			file := order.Pair(t.ACME.Storage, name)
			if !slices.ContainsFunc(found, func(f pairs.Files) bool { return f.Certificate == file }) {
				l.facts.Certificates = append(l.facts.Certificates, Certificate{Listener: c.Listeners[i].Name, File: file, Asked: true, Err: fs.ErrNotExist})
			}
		}
	}
}

// notAfter returns when a certificate ends that fits its key.
func (l *looker) notAfter(certificate, key string) (end time.Time, err error) {
	chain, err := fs.ReadFile(l.Files, strings.TrimPrefix(certificate, "/"))
	if err != nil {
		return end, err
	}
	private, err := fs.ReadFile(l.Files, strings.TrimPrefix(key, "/"))
	if err != nil {
		return end, err
	}
	pair, err := tls.X509KeyPair(chain, private)
	if err != nil {
		return end, err
	}
	return pair.Leaf.NotAfter, nil
}

// certificates says which certificates cannot be used, or will not be for
// long.
func certificates(f *Facts, _ *config.Config) (out []Finding) {
	const id = "certificates"
	for _, c := range f.Certificates {
		left := time.Until(c.NotAfter)
		days := int(left / (24 * time.Hour))
		const look = "openssl x509 -noout -subject -dates -in %s"
		switch {
		case c.Asked:
			out = append(out, warn(id, "listener %s: %s has not come from its authority", c.Listener, c.File).
				because("Until it has, no client can begin TLS; the log says what the authority answers (acme_failed).").by("journalctl -u ftpalg -g acme"))
		case c.Err != nil:
			out = append(out, problem(id, "listener %s: %s cannot be used: %v", c.Listener, c.File, c.Err).
				because("The gateway does not start with it; one that runs goes on with the former certificate.").by(look, c.File))
		case left <= 0:
			out = append(out, problem(id, "listener %s: %s ended on %s", c.Listener, c.File, c.NotAfter.Format(time.DateOnly)).
				because("Clients that look at certificates refuse to connect.").by(look, c.File))
		case left < renewal:
			out = append(out, warn(id, "listener %s: %s ends in %d days", c.Listener, c.File, days).
				because("It should have been renewed. What takes its place is in force within a minute, without a restart.").by(look, c.File))
		default:
			out = append(out, good(id, "listener %s: %s is good for %d days", c.Listener, c.File, days))
		}
	}
	return out
}
