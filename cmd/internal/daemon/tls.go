package daemon

import (
	"crypto/tls"
	"crypto/x509"
	"maps"
	"slices"

	"ftpalg/alg"
	"ftpalg/cmd/internal/api"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/opener"
)

// certificatesOf describes the certificates of services, in the order of their
// names.
func certificatesOf(services map[string]*alg.Service) (out []api.Certificate) {
	for _, name := range slices.Sorted(maps.Keys(services)) {
		if services[name].TLS == nil {
			continue
		}
		for _, c := range services[name].TLS.Certificates {
			names := c.Leaf.DNSNames
			for _, a := range c.Leaf.IPAddresses {
				names = append(names, a.String())
			}
			if len(names) == 0 {
				names = []string{c.Leaf.Subject.CommonName}
			}
			out = append(out, api.Certificate{Listener: name, Names: names, Issuer: c.Leaf.Issuer.String(), NotAfter: c.Leaf.NotAfter})
		}
	}
	return out
}

// tlsConfig returns how a listener is the end of its clients' TLS. A client that
// names the protocol that it means to speak must mean FTP (ALPN, RFC 7301):
// otherwise another protocol's client was led here.
func tlsConfig(t *config.TLS, k opener.Keys) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"ftp", "ftp-data"}}
	if t.Minimum == config.TLS13 {
		c.MinVersion = tls.VersionTLS13
	}
	for _, p := range k.Pairs {
		pair, err := tls.X509KeyPair(p.Certificate, p.Key)
		if err != nil {
			return nil, err
		}
		c.Certificates = append(c.Certificates, pair)
	}
	if len(k.ClientCA) == 0 {
		return c, nil
	}
	c.ClientCAs = pool(k.ClientCA)
	c.ClientAuth = tls.RequireAndVerifyClientCert
	if t.ClientCertificate == config.ClientMay {
		c.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return c, nil
}

// serverTLS returns how a listener speaks TLS with its server.
func serverTLS(l *config.Listener, k opener.Keys) *alg.ServerTLS {
	t := &l.ServerTLS
	c := &tls.Config{ServerName: t.Name, InsecureSkipVerify: !t.Verify}
	if len(k.ServerCA) > 0 {
		c.RootCAs = pool(k.ServerCA)
	}
	return &alg.ServerTLS{Config: c, Implicit: t.Mode == config.ServerTLSImplicit}
}

// pool returns the certificates of a PEM text, which the opener has seen to
// hold some.
func pool(text []byte) *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(text)
	return p
}

// withoutCertificate lists the listeners whose certificate has yet to come from an
// authority.
func withoutCertificate(c *config.Config, in []api.Certificate) (names []string) {
	for _, l := range c.Listeners {
		has := slices.ContainsFunc(in, func(one api.Certificate) bool { return one.Listener == l.Name })
		if l.TLS.Mode.EndsHere() && !has {
			names = append(names, l.Name)
		}
	}
	return names
}
