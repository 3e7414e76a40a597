package daemon

import (
	"errors"
	"sync"

	"ftpalg/cmd/internal/admin"
	"ftpalg/cmd/internal/opener"
)

// window is one place where the gateway can be asked.
type window struct {
	server *admin.Server
	before func() // called before the server is closed
}

// errNoWindow says that the opener did not hand the admin socket over.
var errNoWindow = errors.New("no admin socket was handed over")

// openWindows serves the admin socket, and admin.http where it is set, until
// the function that it returns is called.
func (d *Daemon) openWindows(token string) (closeAll func(), err error) {
	l := d.takeListener(opener.AdminNumber)
	if l == nil {
		return nil, errNoWindow
	}
	pages := admin.Pages{"GET /metrics": d.metrics.Handler()}
	if d.config.Admin.Pprof {
		pages.AddProfiles()
	}
	windows := []*window{{server: admin.NewServer(l, d, pages), before: func() {}}}
	if l := d.takeListener(opener.HTTPNumber); l != nil {
		windows = append(windows, d.openViewer(l, token, pages))
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
