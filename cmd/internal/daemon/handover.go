package daemon

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"ftpalg/alg"
	"ftpalg/cmd/internal/link"
)

// inherited is what comes of a predecessor before the first configuration.
type inherited struct {
	snapshot *os.File
	// client and server are connections, by the number of their session.
	client, server map[uint64]*os.File
}

// keep keeps a connection of a session that is taken over.
func (i *inherited) keep(r link.Record, f *os.File) {
	if i.client == nil {
		i.client, i.server = make(map[uint64]*os.File), make(map[uint64]*os.File)
	}
	side := i.client
	if r.Code != 0 {
		side = i.server
	}
	closeFile(side[r.Session])
	side[r.Session] = f
}

// restore takes over the sessions of a predecessor, which rest until Resume.
func (d *Daemon) restore(services map[string]*alg.Service) error {
	from := d.inherited
	d.inherited = inherited{}
	var s alg.Snapshot
	if err := link.Text(from.snapshot, &s); err != nil {
		return fmt.Errorf("read the sessions of the predecessor: %w", err)
	}
	connections := make([]alg.Connections, len(s.Sessions))
	for i := range s.Sessions {
		var err error
		if connections[i], err = from.connections(s.Sessions[i].Number); err != nil {
			return fmt.Errorf("take over session %d: %w", s.Sessions[i].Number, err)
		}
	}
	return d.gateway.Restore(s, connections, func(listener string) (alg.Service, bool) {
		svc, ok := services[listener]
		if !ok {
			return alg.Service{}, false
		}
		return *svc, true
	})
}

func (i *inherited) connections(session uint64) (c alg.Connections, err error) {
	client, server := i.client[session], i.server[session]
	if client == nil || server == nil {
		return c, errors.New("a connection is missing")
	}
	if c.Client, err = connOf(client); err != nil {
		return c, err
	}
	c.Server, err = connOf(server)
	return c, err
}

// parked is what this process keeps of what it has handed over.
type parked struct {
	connections []alg.Connections
	listeners   map[*socket]*os.File
}

// park brings everything to rest and hands it over: the snapshot into a file, and
// the sockets over the Link.
func (d *Daemon) park(into *os.File) {
	p := &parked{listeners: make(map[*socket]*os.File)}
	for _, s := range d.sockets {
		f, err := s.acceptor.File()
		if err != nil {
			d.log.Error("a listening socket cannot be handed over", "event", "park_failed", "what", s.Text, "error", err)
			continue
		}
		p.listeners[s] = f
		d.remote.link.SendFile(link.Record{Op: link.KeptSocket, Socket: s.Number}, f)
		s.close()
	}
	d.serving.Wait()
	d.parked = p
	var snapshot alg.Snapshot
	snapshot, p.connections = d.gateway.Park()
	if err := write(into, snapshot); err != nil {
		d.log.Error("the sessions cannot be handed over", "event", "park_failed", "what", "sessions", "error", err)
		return // the opener has no patience for ever
	}
	for i, c := range p.connections {
		number := snapshot.Sessions[i].Number
		d.remote.link.SendFile(link.Record{Op: link.Kept, Session: number}, c.Client.(syscall.Conn))
		d.remote.link.SendFile(link.Record{Op: link.Kept, Session: number, Code: 1}, c.Server.(syscall.Conn))
	}
	d.remote.link.Send(link.Record{Op: link.Parked})
}

func write(into *os.File, v any) error {
	defer into.Close()
	b := bufio.NewWriter(into)
	return errors.Join(json.NewEncoder(b).Encode(v), b.Flush())
}

// resume lets the sessions go on, and accepts connections: there is no
// successor, or this process is it.
func (d *Daemon) resume() {
	if d.parked != nil {
		for s, f := range d.parked.listeners {
			l, err := net.FileListener(f)
			f.Close()
			if err != nil {
				d.log.Error("listener ended; a reload opens it again", "event", "listener_failed", "listener", s.Text, "error", err)
				d.remote.socketFailed(s.Number)
				continue
			}
			s.acceptor = newAcceptor(l.(*net.TCPListener), s.Socket, d.addresses)
			d.startServing(s)
		}
		d.parked = nil
	}
	for _, s := range d.waiting {
		d.startServing(s)
	}
	d.waiting = nil
	d.gateway.Unpark()
}

// leave forgets the sessions, which are the successor's, and waits for what only
// this process can finish: transfers that it relays, and sessions under TLS.
func (d *Daemon) leave() {
	d.gateway.Leave()
	var all []io.Closer
	for _, c := range d.parked.connections {
		all = append(all, c.Client, c.Server)
	}
	for _, f := range d.parked.listeners {
		all = append(all, f)
	}
	for _, c := range all {
		c.Close()
	}
	d.closeWindows()
	d.drain(d.config.Limits.DrainTimeout)
}

// Upgrade has the program that is installed now take over, and returns once it
// has, or why this one goes on. With ifReplaced it is Reload where that is the
// running one.
func (d *Daemon) Upgrade(ifReplaced bool) error { return d.remote.upgrade(ifReplaced) }
