package bench

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/bench/internal/load"
)

// prefix begins the names of the hosts of benchmarks.
const prefix = "ftpalg-bench"

// ftpPort is where the server of the load listens.
const ftpPort = 21

// stand is a network with a server on it, for one cell.
type stand struct {
	*lab.Topology
	ctx context.Context
	// dir is for files, and goes with the stand.
	dir string
	// at is where the clients connect. A subject may change it.
	at netip.AddrPort
	// pinned keeps every program on one processor.
	pinned bool
}

// newStand builds the network for a probe, starts the server and has the
// subject do its part. After an error nothing is left.
func newStand(ctx context.Context, p probe, s subject) (*stand, error) {
	dir, err := os.MkdirTemp("", prefix)
	if err != nil {
		return nil, err
	}
	topology, err := lab.Inbound(ctx, prefix)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	st := &stand{
		Topology: topology, ctx: ctx, dir: dir, pinned: p.pinned,
		at: netip.AddrPortFrom(topology.Contact, ftpPort),
	}
	if err := st.furnish(s); err != nil {
		return nil, errors.Join(fmt.Errorf("set up %s: %w", s.name, err), st.close())
	}
	return st, nil
}

func (st *stand) furnish(s subject) error {
	own := netip.AddrPortFrom(st.Own, ftpPort)
	server, err := load.Server(st.ctx, st.Server, own)
	if err != nil {
		return err
	}
	if err := st.pin(server).Start(); err != nil {
		return err
	}
	if err := s.install(st); err != nil {
		return err
	}
	return st.await(func() error {
		conn, err := st.Client.Dial(st.ctx, "tcp4", "", st.at.String())
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// readyTimeout is how long a program may take to be ready.
const readyTimeout = 10 * time.Second

// await tries until it works.
func (st *stand) await(try func() error) error {
	for deadline := time.Now().Add(readyTimeout); ; time.Sleep(10 * time.Millisecond) {
		err := try()
		if err == nil || time.Now().After(deadline) || st.ctx.Err() != nil {
			return err
		}
	}
}

// file writes a file for a program of the stand and returns its path.
func (st *stand) file(name, text string) (string, error) {
	path := filepath.Join(st.dir, name)
	return path, os.WriteFile(path, []byte(text), 0o644)
}

// socket is the administrators' socket of a gateway.
func (st *stand) socket() string { return filepath.Join(st.dir, "admin.sock") }

// start starts a program on the gateway, whose words go to a file.
func (st *stand) start(name string, args ...string) (said string, err error) {
	return st.startOn(st.Gateway, name, args...)
}

func (st *stand) startOn(host *lab.Host, name string, args ...string) (said string, err error) {
	said = filepath.Join(st.dir, filepath.Base(name)+".log")
	log, err := os.Create(said)
	if err != nil {
		return "", err
	}
	defer log.Close() // the program has a descriptor of its own
	c := host.Command(st.ctx, name, args...)
	c.Stdout, c.Stderr = log, log
	return said, st.pin(c).Start()
}

// pin has taskset(1) start the program of a pinned stand.
func (st *stand) pin(c *lab.Command) *lab.Command {
	if st.pinned {
		by := exec.Command("taskset", "-c", "0", c.Path)
		c.Path, c.Args, c.Err = by.Path, append(by.Args, c.Args[1:]...), by.Err
	}
	return c
}

// run has clients do a job and observes the gateway before they go.
func (st *stand) run(job load.Job) (o outcome, err error) {
	job.Server, job.User = st.at, "anonymous"
	clients, err := load.Clients(st.ctx, st.Client, job)
	if err != nil {
		return o, err
	}
	err = load.Attend(st.pin(clients), func(r load.Result) (err error) {
		o.Result = r
		o.resident, err = st.resident()
		return err
	})
	return o, err
}

func (st *stand) close() error { return errors.Join(st.Close(), os.RemoveAll(st.dir)) }
