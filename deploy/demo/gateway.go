package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ftpalg/deploy/lab"
)

const (
	// gatewayPatience is how long the gateway may take to start or to end.
	gatewayPatience = 8 * time.Second
	// pollEvery is how often something is asked that takes a moment.
	pollEvery = 20 * time.Millisecond
	// tailLines is how many lines of the gateway's log explain a failure.
	tailLines = 6
)

// gateway is an ftpalg that runs on the gateway host.
type gateway struct {
	process *lab.Command
	program string // path
	socket  string // of its admin interface, a path
	log     string // path
	ended   chan struct{}
}

// configuration completes a configuration of listeners. The data path is the
// one whose rules can be shown.
func configuration(listeners, socket string) string {
	return listeners + `data: {path: iptables}
limits: {drain_timeout: 1s}
log: {format: text}
admin: {socket: ` + socket + "}\n"
}

// startGateway starts the program and waits until it is ready. It puts the
// configuration, the log and the admin socket into dir.
func startGateway(ctx context.Context, h *lab.Host, program, listeners, dir string) (*gateway, error) {
	config, socket := filepath.Join(dir, "ftpalg.yaml"), filepath.Join(dir, "admin.sock")
	if err := os.WriteFile(config, []byte(configuration(listeners, socket)), 0o600); err != nil {
		return nil, fmt.Errorf("configure the gateway: %w", err)
	}
	g := &gateway{
		process: h.Command(ctx, program, "run", "--config", config),
		program: program,
		socket:  socket,
		log:     filepath.Join(dir, "log"),
		ended:   make(chan struct{}),
	}
	log, err := os.Create(g.log)
	if err != nil {
		return nil, fmt.Errorf("log of the gateway: %w", err)
	}
	defer log.Close() // the process has its own descriptor
	g.process.Stdout, g.process.Stderr = log, log
	if err := g.process.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = g.process.Wait() // stop asks again
		close(g.ended)
	}()
	return g, g.awaitReady(ctx)
}

// ask runs another ftpalg that asks the gateway.
func (g *gateway) ask(ctx context.Context, command ...string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, g.program, append(command, "--socket", g.socket)...).Output()
	if err != nil {
		return nil, fmt.Errorf("ftpalg %s: %w", strings.Join(command, " "), err)
	}
	return out, nil
}

// pinhole is a data connection that is promised.
type pinhole struct {
	From netip.Addr     `json:"from"`
	To   netip.AddrPort `json:"to"`
}

// pinholes returns those that are open.
func (g *gateway) pinholes(ctx context.Context) (all []pinhole, err error) {
	out, err := g.ask(ctx, "pinholes", "--json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, fmt.Errorf("read the pinholes: %w", err)
	}
	return all, nil
}

// awaitReady asks `ftpalg status` until it says ready.
func (g *gateway) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, gatewayPatience)
	defer cancel()
	for {
		if _, err := g.ask(ctx, "status"); err == nil {
			return nil
		}
		select {
		case <-g.ended:
			return g.explain(errors.New("the gateway ended at once"))
		case <-ctx.Done():
			return g.explain(errors.New("the gateway does not get ready"))
		case <-time.After(pollEvery):
		}
	}
}

// stop ends the gateway in an orderly way.
func (g *gateway) stop() error {
	if err := g.process.Process.Signal(syscall.SIGTERM); err != nil {
		return g.explain(fmt.Errorf("end the gateway: %w", err))
	}
	select {
	case <-g.ended:
	case <-time.After(gatewayPatience):
		return g.explain(fmt.Errorf("the gateway still runs %s after SIGTERM", gatewayPatience))
	}
	if err := g.process.Wait(); err != nil {
		return g.explain(fmt.Errorf("the gateway ended badly: %w", err))
	}
	return nil
}

// explain adds the end of the gateway's log to an error.
func (g *gateway) explain(err error) error {
	text, _ := os.ReadFile(g.log) // without a log the error stands alone
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return &gatewayError{err, lines[max(0, len(lines)-tailLines):]}
}

// gatewayError is a failure for which the gateway may know the reason.
type gatewayError struct {
	err error
	log []string // the last lines
}

func (e *gatewayError) Error() string { return e.err.Error() }
func (e *gatewayError) Unwrap() error { return e.err }
