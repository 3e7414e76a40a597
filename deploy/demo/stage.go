package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

const (
	// fileName is what the server has, fileSize its length in bytes.
	fileName = "pub/file"
	fileSize = 3_000_000
	// controlPort is where FTP servers are (RFC 959 section 5.1).
	controlPort = 21
)

// patience is how long a client or server waits for the other. A closed port
// shows itself by silence only, so that this is also what it takes to see
// a transfer fail.
const patience = 2500 * time.Millisecond

// stage is what a scene plays on: hosts with a strict firewall between them,
// and the FTP server.
type stage struct {
	*lab.Topology
	scene   scene
	dir     string // for the gateway's files
	files   *ftp.Files
	notes   *notes
	watcher *watcher
	server  *ftp.Server
	served  chan error
}

// setStage builds the hosts and starts the server. After an error nothing is
// left.
func setStage(ctx context.Context, sc scene) (*stage, error) {
	top, err := sc.topology(ctx, prefix)
	if err != nil {
		return nil, err
	}
	st := &stage{
		Topology: top,
		scene:    sc,
		files:    ftp.NewFiles(map[string]ftp.Content{fileName: ftp.Random(1, fileSize)}),
		notes:    new(notes),
		watcher:  &watcher{host: top.Gateway, iptables: sc.iptables},
	}
	if err := st.furnish(ctx); err != nil {
		return nil, errors.Join(err, st.close())
	}
	return st, nil
}

func (st *stage) furnish(ctx context.Context) (err error) {
	if st.dir, err = os.MkdirTemp("", prefix+"-"); err != nil {
		return fmt.Errorf("make room for the gateway's files: %w", err)
	}
	if err := st.Gateway.Strict(); err != nil {
		return fmt.Errorf("close the firewall: %w", err)
	}
	listener, err := st.Server.Listen("tcp", netip.AddrPortFrom(st.Own, controlPort).String())
	if err != nil {
		return fmt.Errorf("start the FTP server: %w", err)
	}
	st.server = &ftp.Server{
		Files:      st.files,
		Listen:     st.Server.Listen,
		Dial:       st.dialer(ctx, st.Server),
		Transcript: st.notes.of(server),
		Timeout:    patience,
	}
	st.served = make(chan error, 1)
	go func() { st.served <- st.server.Serve(listener) }()
	return nil
}

// close ends the server and every process on the hosts, and removes them.
func (st *stage) close() error {
	var served error
	if st.server != nil {
		st.server.Close()
		served = <-st.served
	}
	return errors.Join(served, st.Topology.Close(), os.RemoveAll(st.dir))
}

// connect logs the client in. The client is closed when ctx ends.
func (st *stage) connect(ctx context.Context) (*ftp.Client, error) {
	c, err := ftp.Connect(ctx, netip.AddrPortFrom(st.Contact, controlPort).String(), ftp.Options{
		Dial:       st.dialer(ctx, st.Client),
		Listen:     st.Client.Listen,
		Transcript: st.notes.of(client),
		Timeout:    patience,
	})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = c.Close() }) // whoever uses it then sees the error
	if err := c.Login("anonymous", "demo"); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// dialer returns how a host connects: until ctx ends, and after the watcher
// had its look, for that is the moment at which a pinhole must be open.
func (st *stage) dialer(ctx context.Context, h *lab.Host) func(context.Context, string, string, string) (net.Conn, error) {
	return func(dial context.Context, network, local, address string) (net.Conn, error) {
		st.watcher.look()
		dial, cancel := context.WithCancel(dial)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		return h.Dial(dial, network, local, address)
	}
}
