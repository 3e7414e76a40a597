package opener

import (
	"fmt"
	"net"

	"ftpalg/cmd/internal/admin"
)

// windows are the listening sockets of the admin interface.
type windows struct {
	admin net.Listener
	http  net.Listener // nil if there is none
	token string
}

// openWindows opens the admin socket, and admin.http where it is set.
func (o *Opener) openWindows() (w windows, err error) {
	a := &o.config.Admin
	if w.admin, err = admin.Listen(a.Socket); err != nil {
		return w, err
	}
	if !a.HTTP.IsValid() {
		return w, nil
	}
	token, err := a.ReadToken()
	if err == nil {
		w.token = token.Reveal()
		w.http, err = net.Listen("tcp", a.HTTP.String())
	}
	if err != nil {
		w.close()
		return w, fmt.Errorf("admin.http: %w", err)
	}
	return w, nil
}

// close closes the opener's own descriptors, and removes the admin socket.
func (w windows) close() {
	if w.admin != nil {
		w.admin.Close()
	}
	if w.http != nil {
		w.http.Close()
	}
}
