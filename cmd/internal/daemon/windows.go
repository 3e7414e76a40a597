package daemon

import (
	"fmt"
	"net"
	"sync"

	"ftpalg/cmd/internal/admin"
)

// openWindows serves the admin socket, and admin.http where it is set, until
// the function that it returns is called.
func (d *Daemon) openWindows() (closeAll func(), err error) {
	l, err := admin.Listen(d.config.Admin.Socket)
	if err != nil {
		return nil, err
	}
	pages := admin.Pages{"GET /metrics": d.metrics.Handler()}
	if d.config.Admin.Pprof {
		pages.AddProfiles()
	}
	servers := []*admin.Server{admin.NewServer(l, d, pages)}
	if addr := d.config.Admin.HTTP; addr.IsValid() {
		l, err := net.Listen("tcp", addr.String())
		if err != nil {
			servers[0].Close()
			return nil, fmt.Errorf("admin.http: %w", err)
		}
		servers = append(servers, admin.NewViewer(l, d, pages))
	}
	var serving sync.WaitGroup
	for _, s := range servers {
		serving.Go(func() {
			if err := s.Serve(); err != nil {
				d.log.Error("admin window closed", "event", "admin_failed", "error", err)
			}
		})
	}
	return func() {
		for _, s := range servers {
			s.Close()
		}
		serving.Wait()
	}, nil
}
