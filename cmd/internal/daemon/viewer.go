package daemon

import (
	"fmt"
	"maps"
	"net"
	"net/http"

	"ftpalg/cmd/internal/admin"
	"ftpalg/cmd/internal/guard"
	"ftpalg/cmd/internal/page"
)

// openViewer opens the window at admin.http: what the admin socket shows, and
// the status page, behind a guard.
func (d *Daemon) openViewer(pages admin.Pages) (*window, error) {
	token, err := d.config.Admin.ReadToken()
	if err != nil {
		return nil, err
	}
	at := d.config.Admin.HTTP
	l, err := net.Listen("tcp", at.String())
	if err != nil {
		return nil, fmt.Errorf("admin.http: %w", err)
	}
	status := page.New(d)
	pages = maps.Clone(pages)
	maps.Copy(pages, status.Parts())
	guarded := func(h http.Handler) http.Handler {
		return guard.New(guard.Options{Address: at, Token: token.Reveal()}, h)
	}
	return &window{server: admin.NewViewer(l, d, pages, guarded), before: status.Close}, nil
}
