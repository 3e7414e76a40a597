// Package page is the status page at admin.http: what the gateway does at this
// moment, for people, in a browser, and nothing to change.
//
// The page is three static files; all that moves comes as server-sent events
// (HTML standard, section 9.2) from /events: one snapshot a second, taken once
// for everybody who looks, and none while nobody does. A viewer's search and
// sorting are parameters of /events, so that of ten thousand sessions only the
// rows that are shown leave the gateway.
//
// Who may look, and the header fields that bind a browser, are the matter of
// package guard.
package page

import (
	"embed"
	"net/http"
	"time"
)

//go:embed assets
var assets embed.FS

// Page serves the status page. It is made with New.
type Page struct{ feed *feed }

// New returns a Page that shows source.
func New(source Source) *Page { return &Page{newFeed(source)} }

// Parts returns the page, its files and its events, by the pattern of
// http.ServeMux.
func (p *Page) Parts() map[string]http.Handler {
	return map[string]http.Handler{
		"GET /{$}": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, assets, "assets/page.html")
		}),
		"GET /assets/{file}": http.FileServerFS(assets),
		"GET /events":        http.HandlerFunc(p.events),
	}
}

// Close ends all events.
func (p *Page) Close() { p.feed.close() }

// slowestWrite bounds the writing of one event.
const slowestWrite = 5 * time.Second

// events sends snapshots until the viewer goes, stops reading, or the page is
// closed.
func (p *Page) events(w http.ResponseWriter, r *http.Request) {
	wanted, err := parseView(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	v, err := p.feed.join(wanted)
	if err != nil {
		w.Header().Set("Retry-After", "10")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer p.feed.leave(v)
	control := http.NewResponseController(w)
	// The server's own limit is for requests that end.
	if err := control.SetReadDeadline(time.Time{}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		select {
		case text := <-v.frames:
			if control.SetWriteDeadline(time.Now().Add(slowestWrite)) != nil {
				return
			}
			if _, err := w.Write(text); err != nil || control.Flush() != nil {
				return
			}
		case <-r.Context().Done():
			return
		case <-p.feed.closed:
			return
		}
	}
}
