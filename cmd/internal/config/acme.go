package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// ACME is how a listener's certificates are had from an authority by itself
// (RFC 8555).
type ACME struct {
	// Names are those that the certificates are for, one for each.
	Names []string
	// Email is where the authority may write to; empty for none.
	Email string
	// Directory is the authority's URL, CA the absolute path of a PEM file with the
	// authorities of its own certificate; empty for those of the system.
	Directory, CA string
	// HTTP and TLS are the addresses at which the authority is answered: by HTTP-01
	// (RFC 8555 section 8.3), which it asks at port 80, and by TLS-ALPN-01 (RFC 8737),
	// at port 443. The zero AddrPort is for none.
	HTTP, TLS netip.AddrPort
	// Storage is the absolute path of the folder with accounts, keys and
	// certificates.
	Storage string
	// Agree says that the operator agrees to the authority's terms.
	Agree bool
}

// Where certificates come from, and go, by default.
const (
	acmeDirectory = "https://acme-v02.api.letsencrypt.org/directory"
	acmeStorage   = "/var/lib/ftpalg/acme"
)

func newACME() ACME { return ACME{Directory: acmeDirectory, Storage: acmeStorage} }

func (a *ACME) fields() []field {
	return []field{
		{"names", oneOrMany(&a.Names, dnsName())},
		{"email", one(&a.Email, email())},
		{"agree", one(&a.Agree, flag())},
		{"http", one(&a.HTTP, endpoint("80"))},
		{"tls", one(&a.TLS, endpoint("443"))},
		{"directory", one(&a.Directory, secureURL())},
		{"ca", one(&a.CA, absolute(longestPath))},
		{"storage", one(&a.Storage, absolute(longestPath))},
	}
}

// dnsName is a name that an authority can be asked about.
func dnsName() codec[string] {
	parse := func(text string) (string, error) {
		if !isName(text) || !strings.Contains(text, ".") {
			return "", fmt.Errorf("%s is not the full name of a host, such as ftp.example.net", quote(text))
		}
		return strings.ToLower(strings.TrimSuffix(text, ".")), nil
	}
	return codec[string]{parse, verbatim, described("the full name of a host, such as ftp.example.net")}
}

func email() codec[string] {
	parse := func(text string) (string, error) {
		if name, host, ok := strings.Cut(text, "@"); !ok || name == "" || !isName(host) || strings.ContainsAny(text, " <>") {
			return "", fmt.Errorf("%s is not an address like ops@example.net", quote(text))
		}
		return text, nil
	}
	return codec[string]{parse, verbatim, described("an e-mail address")}
}

func secureURL() codec[string] {
	parse := func(text string) (string, error) {
		if u, err := url.Parse(text); err != nil || u.Scheme != "https" || u.Host == "" {
			return "", fmt.Errorf("%s is not a URL that begins with https://", quote(text))
		}
		return text, nil
	}
	return codec[string]{parse, verbatim, described("a URL that begins with https://")}
}

// check reports what does not fit together.
func (a *ACME) check(r *report, path string) {
	r.require(path+".names", "the names that the certificates are for")
	if !a.Agree && r.clean(path+".agree") {
		r.add(path, "needs `agree: true`, if you agree to the terms of the authority %s", a.Directory)
	}
	if !a.HTTP.IsValid() && !a.TLS.IsValid() && r.clean(path+".http", path+".tls") {
		r.add(path, "needs http or tls, the address at which the authority is answered")
	}
}
