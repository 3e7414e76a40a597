package daemon

import (
	"fmt"
	"maps"
	"net"
	"net/http"

	"golang.org/x/net/netutil"

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
	l = netutil.LimitListener(l, mostVisitors)
	status := page.New(d)
	pages = maps.Clone(pages)
	maps.Copy(pages, status.Parts())
	guarded := func(h http.Handler) http.Handler {
		return guard.New(guard.Options{Address: at, Token: token.Reveal()}, h)
	}
	return &window{server: admin.NewViewer(l, d, pages, guarded), before: status.Close}, nil
}

// mostVisitors bounds the connections to admin.http at one time: further ones
// wait, so that they cannot use up the descriptors that sessions need.
const mostVisitors = 64
