package admin

import (
	"maps"
	"net/http"
	"net/http/pprof"
	"time"
)

// Pages are what a Server shows besides its Source, by the pattern of
// http.ServeMux.
type Pages map[string]http.Handler

// AddProfiles adds the profiles of the process, as `go tool pprof` reads
// them. They show what goes on inside, and cost while they are taken.
func (p Pages) AddProfiles() {
	maps.Copy(p, Pages{
		"GET /debug/pprof/":        unhurried(pprof.Index),
		"GET /debug/pprof/cmdline": unhurried(pprof.Cmdline),
		"GET /debug/pprof/profile": unhurried(pprof.Profile),
		"GET /debug/pprof/symbol":  unhurried(pprof.Symbol),
		"GET /debug/pprof/trace":   unhurried(pprof.Trace),
	})
}

// unhurried lets a handler take longer than the server's ReadTimeout, at
// which net/http ends a request even while it is being answered.
func unhurried(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		h(w, r)
	})
}

// on adds the pages to mux.
func (p Pages) on(mux *http.ServeMux) *http.ServeMux {
	for pattern, h := range p {
		mux.Handle(pattern, h)
	}
	return mux
}
