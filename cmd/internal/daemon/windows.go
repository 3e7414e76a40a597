package daemon

import (
	"sync"

	"ftpalg/cmd/internal/admin"
)

// window is one place where the gateway can be asked.
type window struct {
	server *admin.Server
	before func() // called before the server is closed
}

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
	windows := []*window{{server: admin.NewServer(l, d, pages), before: func() {}}}
	if d.config.Admin.HTTP.IsValid() {
		viewer, err := d.openViewer(pages)
		if err != nil {
			windows[0].server.Close()
			return nil, err
		}
		windows = append(windows, viewer)
	}
	var serving sync.WaitGroup
	for _, w := range windows {
		serving.Go(func() {
			if err := w.server.Serve(); err != nil {
				d.log.Error("admin endpoint closed", "event", "admin_failed", "error", err)
			}
		})
	}
	return func() {
		for _, w := range windows {
			w.before()
			w.server.Close()
		}
		serving.Wait()
	}, nil
}
