package lab

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/vishvananda/netns"
)

// Network is a set of test hosts with the cables between them. Its methods
// and those of its hosts may be called from several goroutines.
type Network struct {
	name  string // begins the name of every host
	close func() error
	// starter is used while mu is held and the network is not closed.
	starter starter

	mu       sync.Mutex
	closed   bool
	cables   int
	hosts    map[string]*Host
	commands []*Command
}

// New begins an empty network whose hosts are named after prefix (lower-case
// letters, digits and inner dashes), the process and a random number, so that
// concurrent runs do not collide. It first removes what dead processes left
// under the same prefix.
// When ctx ends, the network closes. An *UnavailableError says that the
// machine or the user cannot have test hosts.
func New(ctx context.Context, prefix string) (*Network, error) {
	if !isLabel(prefix) {
		return nil, fmt.Errorf("lab prefix %q: want lower-case letters, digits and inner dashes", prefix)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("build lab %s: %w", prefix, err)
	}
	if err := probe(); err != nil {
		return nil, err
	}
	if err := errors.Join(shareNamedDir(), removeLeftovers(prefix)); err != nil {
		return nil, err
	}
	n := &Network{name: uniqueName(prefix), hosts: make(map[string]*Host), starter: newStarter()}
	tearDown := sync.OnceValue(n.tearDown)
	stop := context.AfterFunc(ctx, func() { _ = tearDown() }) // Close reports the same error again
	n.close = func() error {
		stop()
		return tearDown()
	}
	return n, nil
}

// Host adds a host with nothing but its loopback, which is up. It forwards
// nothing until Router is called.
func (n *Network) Host(name string) (*Host, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, fmt.Errorf("add host %s: %w", name, ErrClosed)
	}
	if !isLabel(name) || n.hosts[name] != nil {
		return nil, fmt.Errorf("add host %q: want a new name of lower-case letters, digits and inner dashes", name)
	}
	h := &Host{network: n, name: name, namespace: n.name + "-" + name}
	handle, err := createNamespace(h.namespace, prepareHost)
	if err != nil {
		return nil, fmt.Errorf("add host %s: %w", name, err)
	}
	h.handle = handle
	n.hosts[name] = h
	return h, nil
}

// Close kills every process on the hosts, waits until they are gone, and
// removes the hosts. Sockets that Listen and Dial gave out remain the
// caller's to close: until then the kernel keeps their nameless namespace.
// Further calls return the first one's error.
func (n *Network) Close() error { return n.close() }

func (n *Network) tearDown() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	handles := make([]netns.NsHandle, 0, len(n.hosts))
	for _, h := range n.hosts {
		handles = append(handles, h.handle)
	}
	for _, c := range n.commands {
		_ = c.kill() // killProcesses reports what survives
	}
	errs := []error{killProcesses(handles)}
	for _, c := range n.commands {
		_ = c.Wait() // reaped; how it ended is the business of who started it
	}
	n.starter.end()
	for _, h := range n.hosts {
		errs = append(errs, removeNamespace(h.namespace), h.leave())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close lab %s: %w", n.name, err)
	}
	return nil
}

// uniqueName returns prefix-PID-RANDOM; removeLeftovers reads the PID.
func uniqueName(prefix string) string {
	var random [3]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand
	return fmt.Sprintf("%s-%d-%s", prefix, os.Getpid(), hex.EncodeToString(random[:]))
}

// isLabel reports whether s can be part of a namespace's name.
func isLabel(s string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyz0123456789-"
	return s != "" && strings.Trim(s, allowed) == "" && strings.Trim(s, "-") == s
}
