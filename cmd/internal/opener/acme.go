package opener

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ftpalg/cmd/internal/acme/order"
	"ftpalg/cmd/internal/config"
)

// Where listeners have their certificates come from an authority, a third process
// talks with that: as the worker's user, without a privilege, and with the listening
// sockets that the opener has made. What has come it leaves in the storage, from
// where it is read as certificates of files are.

// acmeProgram is that process's. It stands beside this program's own.
const acmeProgram = "ftpalg-acme"

// acmeRetry is how long one that has ended is left alone.
const acmeRetry = 30 * time.Second

// asking is what is asked for, and the process that does so.
type asking struct {
	wanted acmeWanted
	stop   context.CancelFunc
	ended  chan struct{}
}

// acmeWanted is what a configuration wants of authorities.
type acmeWanted struct {
	log       config.Log
	orders    []order.Order
	http, tls []netip.AddrPort
}

// wantedOf returns what the listeners of a configuration want.
func wantedOf(c *config.Config) (w acmeWanted, err error) {
	w.log = c.Log
	for i := range c.Listeners {
		a := c.Listeners[i].TLS.ACME
		if a == nil {
			continue
		}
		o := order.Order{Names: a.Names, Email: a.Email, Directory: a.Directory, Storage: a.Storage, HTTP: a.HTTP.IsValid(), TLS: a.TLS.IsValid()}
		if o.CA, err = readCA(a.CA); err != nil {
			return w, fmt.Errorf("listener %s: tls: acme: %w", c.Listeners[i].Name, err)
		}
		w.orders = append(w.orders, o)
		w.http, w.tls = include(w.http, a.HTTP), include(w.tls, a.TLS)
	}
	return w, nil
}

// include adds an address that is set and not among all.
func include(all []netip.AddrPort, a netip.AddrPort) []netip.AddrPort {
	if !a.IsValid() || slices.Contains(all, a) {
		return all
	}
	return append(all, a)
}

// askAuthorities has the process ask for what the configuration in force wants.
// The caller holds changing.
func (o *Opener) askAuthorities() error {
	wanted, err := wantedOf(o.config)
	if err != nil || o.asking != nil && reflect.DeepEqual(o.asking.wanted, wanted) {
		return err
	}
	o.stopAsking()
	if len(wanted.orders) == 0 {
		return nil
	}
	as, err := o.workerUser()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	a := &asking{wanted: wanted, stop: stop, ended: make(chan struct{})}
	o.asking = a
	go func() {
		defer close(a.ended)
		o.keepAsking(ctx, wanted, as)
	}()
	return nil
}

// stopAsking ends the process. The caller holds changing.
func (o *Opener) stopAsking() {
	if o.asking != nil {
		o.asking.stop()
		<-o.asking.ended
		o.asking = nil
	}
}

// keepAsking runs the process, again and again, until ctx ends.
func (o *Opener) keepAsking(ctx context.Context, w acmeWanted, as *syscall.Credential) {
	for ctx.Err() == nil {
		err := o.ask(ctx, w, as)
		if ctx.Err() != nil {
			return
		}
		o.log.Error("certificates cannot be asked for, trying again", "event", "acme_ended", "error", err, "pause", acmeRetry)
		select {
		case <-ctx.Done():
		case <-time.After(acmeRetry):
		}
	}
}

// ask runs the process once.
func (o *Opener) ask(ctx context.Context, w acmeWanted, as *syscall.Credential) error {
	program, err := acmePath()
	if err != nil {
		return err
	}
	for _, one := range w.orders {
		if err := prepareStorage(one.Storage, as); err != nil {
			return err
		}
	}
	sockets, err := listenPatiently(ctx, append(slices.Clone(w.http), w.tls...))
	if err != nil {
		return err
	}
	book, err := json.Marshal(order.Book{Log: w.log, Orders: w.orders, HTTP: len(w.http), TLS: len(w.tls)})
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, program)
	c.Stdin, c.Stderr = bytes.NewReader(book), os.Stderr
	c.ExtraFiles = sockets
	c.Env = workerEnvironment(os.Environ())
	c.SysProcAttr = &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGKILL, Setpgid: true}
	said, err := c.StdoutPipe()
	ended := make(chan error, 1)
	heard := make(chan struct{})
	if err == nil {
		err = startUnprivileged(c, func() {
			<-heard // before the pipe is closed
			ended <- c.Wait()
		})
	}
	for _, f := range sockets {
		f.Close() // it has its own
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", acmeProgram, err)
	}
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if lines.Text() == order.Renewed {
			o.working.Go(o.renew)
		}
	}
	close(heard)
	if err := <-ended; err != nil {
		return fmt.Errorf("%s: %w", acmeProgram, err)
	}
	return errors.New(acmeProgram + " has ended")
}

// acmePath finds the program.
func acmePath() (string, error) {
	own, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	beside := filepath.Join(filepath.Dir(strings.TrimSuffix(own, " (deleted)")), acmeProgram)
	if _, err := os.Stat(beside); err != nil {
		return "", fmt.Errorf("%w; it is built and installed together with ftpalg (make ftpalg, make install)", err)
	}
	return beside, nil
}

// prepareStorage makes the storage, which the process writes and root reads by its
// group, with no privilege over files (deploy/tmpfiles.d).
func prepareStorage(path string, as *syscall.Credential) error {
	const mode = 0o750 | os.ModeSetgid
	if err := os.MkdirAll(path, 0o750); err != nil {
		return fmt.Errorf("storage of certificates: %w", err)
	}
	var now unix.Stat_t
	if err := unix.Stat(path, &now); err != nil {
		return fmt.Errorf("storage of certificates: stat %s: %w", path, err)
	}
	if as == nil || now.Uid == as.Uid {
		return nil
	}
	if err := errors.Join(os.Chown(path, int(as.Uid), 0), os.Chmod(path, mode)); err != nil {
		return fmt.Errorf("storage of certificates: %w; it belongs to user %d and group 0, with mode 2750", err, as.Uid)
	}
	return nil
}

// listenPatiently is listenAll where a predecessor may still be about to close its own.
func listenPatiently(ctx context.Context, at []netip.AddrPort) (files []*os.File, err error) {
	const tries, pause = 10, time.Second
	for range tries {
		if files, err = listenAll(ctx, at); !errors.Is(err, syscall.EADDRINUSE) {
			return files, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
		}
	}
	return nil, err
}

// listenAll opens listening sockets.
func listenAll(ctx context.Context, at []netip.AddrPort) (files []*os.File, err error) {
	for _, a := range at {
		var f *os.File
		if f, err = listenFile(ctx, a); err != nil {
			break
		}
		files = append(files, f)
	}
	if err != nil {
		for _, f := range files {
			f.Close()
		}
		return nil, fmt.Errorf("listen for an authority: %w", err)
	}
	return files, nil
}

func listenFile(ctx context.Context, at netip.AddrPort) (*os.File, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", at.String())
	if err != nil {
		return nil, err
	}
	defer l.Close() // the file is another descriptor
	return l.(*net.TCPListener).File()
}
