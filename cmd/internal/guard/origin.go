package guard

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// named reports whether a Host is one by which the gateway is reached: the
// address it listens at, that of the loopback interface, or localhost. Where it
// listens at any address every address will do, since a page of somebody else
// can only have a name that leads here.
func (g *Guard) named(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	a = a.Unmap()
	return g.address.IsUnspecified() || a == g.address || a.IsLoopback()
}

// crossSite reports whether a page of another site makes the browser ask. A
// link that leads to the page is none of that. Browsers send Sec-Fetch-Site
// only over HTTPS and to loopback (Fetch Metadata, section 2); elsewhere Origin
// tells, which they send with every request that another site could read.
func crossSite(r *http.Request) bool {
	follows := r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
		origin := r.Header.Get("Origin")
		u, err := url.Parse(origin)
		return origin != "" && (err != nil || !strings.EqualFold(u.Host, r.Host))
	}
	return !follows || r.URL.Path != "/" && r.URL.Path != "/login"
}
