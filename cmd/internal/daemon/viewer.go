package daemon

import (
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
func (d *Daemon) openViewer(l net.Listener, token string, pages admin.Pages) *window {
	l = netutil.LimitListener(l, mostVisitors)
	status := page.New(d)
	pages = maps.Clone(pages)
	maps.Copy(pages, status.Parts())
	guarded := func(h http.Handler) http.Handler {
		return guard.New(guard.Options{Address: d.config.Admin.HTTP, Token: token}, h)
	}
	return &window{server: admin.NewViewer(l, d, pages, guarded), before: status.Close}
}

// mostVisitors bounds the connections to admin.http at one time: further ones
// wait, so that they cannot use up the descriptors that sessions need.
const mostVisitors = 64
