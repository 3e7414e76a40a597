// Package guard stands before everything that admin.http serves. It decides
// who may look, and tells a browser what it may do with what it gets.
//
// Where a token is asked for, programs send it as a bearer token (RFC 6750
// section 2.1) and people type it once at /login, which gives their browser a
// cookie that stands for it. With a token or without, a browser must have been
// sent here by its user: a Host that is a name of somebody else's (DNS
// rebinding) and a request that another site's page makes are turned away.
package guard

import (
	"net/http"
	"net/netip"
	"strings"
)

// Options is what a Guard is made of.
type Options struct {
	// Address is where admin.http listens.
	Address netip.AddrPort
	// Token is what is asked for; empty for nothing.
	Token string
}

// Guard is a handler that passes on what may be passed on. It is made with
// New; its methods are safe for concurrent use.
type Guard struct {
	address  netip.Addr
	token    *token // nil where none is asked for
	attempts *attempts
	sessions *sessions
	next     http.Handler
}

// New returns a Guard before next.
func New(o Options, next http.Handler) *Guard {
	g := &Guard{address: o.Address.Addr(), attempts: newAttempts(), sessions: newSessions(), next: next}
	if o.Token != "" {
		g.token = newToken(o.Token)
	}
	return g
}

// ServeHTTP answers a request, or has it answered by what the Guard stands
// before. Only /healthz is free to all: whether a process lives is no secret.
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	bearer, isBearer := bearer(r)
	switch {
	case r.URL.Path == "/healthz":
		g.next.ServeHTTP(w, r)
	case g.token != nil && isBearer:
		// Whoever knows the token was not lured here by a name.
		g.admitBearer(w, r, bearer)
	case !g.named(r.Host):
		http.Error(w, "Unknown Host; use the address of the gateway or localhost.", http.StatusMisdirectedRequest)
	case crossSite(r):
		http.Error(w, "Another site must not read this.", http.StatusForbidden)
	case g.token == nil:
		g.next.ServeHTTP(w, r)
	default:
		g.admitBrowser(w, r)
	}
}

// bearer returns the bearer token of a request.
func bearer(r *http.Request) (text string, ok bool) {
	scheme, text, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(text), ok && strings.EqualFold(scheme, "Bearer")
}

func (g *Guard) admitBearer(w http.ResponseWriter, r *http.Request, text string) {
	switch g.try(r, text) {
	case right:
		g.next.ServeHTTP(w, r)
	case wrong:
		unauthorized(w, "The token is wrong.")
	default:
		tooMany(w)
		http.Error(w, tooManyText, http.StatusTooManyRequests)
	}
}

func (g *Guard) admitBrowser(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/login":
		g.login(w, r)
	case r.URL.Path == "/login.css":
		http.ServeFileFS(w, r, assets, "assets/login.css")
	case r.URL.Path == "/favicon.ico": // which browsers ask for beside the form
		w.WriteHeader(http.StatusNoContent)
	case g.sessions.knows(r):
		g.next.ServeHTTP(w, r)
	case r.URL.Path == "/":
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	default:
		unauthorized(w, "A token is needed: send it as \"Authorization: Bearer\", or type it at /login.")
	}
}

func unauthorized(w http.ResponseWriter, text string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="ftpalg"`)
	http.Error(w, text, http.StatusUnauthorized)
}
