package examples

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
)

// patience is how long anything may take that usually takes moments.
const patience = 40 * time.Second

// gateway is an ftpalg that runs on a host.
type gateway struct {
	*lab.Command
	host   *lab.Host
	socket string
	in     sandbox
}

// startGateway runs an example on a host, its text unchanged but for the admin
// socket and the folder of certificates, and returns when it is ready.
func startGateway(t *testing.T, h *lab.Host, example string, in sandbox) *gateway {
	t.Helper()
	dir := shortDir(t)
	file, socket := filepath.Join(dir, "ftpalg.yaml"), filepath.Join(dir, "run", "admin.sock")
	text := withCertificate(t, dir, read(t, deploy, "examples", example)) + "\nadmin: {socket: " + socket + "}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Dir(socket), 0o755); err != nil {
		t.Fatal(err)
	}
	g := &gateway{in.command(t, h, filepath.Dir(socket), "run", "--config", file), h, socket, in}
	log, err := os.Create(filepath.Join(dir, "log")) // a successor goes on writing to it
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	g.Stderr = log
	if err := g.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.end(t, log.Name()) })
	g.awaitReady(t)
	return g
}

// shortDir is t.TempDir with a name that leaves room for a socket's (unix(7):
// 108 bytes).
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ftpalg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what stays is in the temporary folder
	return dir
}

func (g *gateway) awaitReady(t *testing.T) {
	t.Helper()
	await(t, "the gateway to be ready", func() error {
		_, err := g.ask("status")
		return err
	})
}

// ask runs a command that asks the gateway.
func (g *gateway) ask(command string, args ...string) (string, error) {
	args = append([]string{command, "--socket", g.socket}, args...)
	out, err := g.host.Command(context.Background(), binary(), args...).Output()
	return strings.TrimSpace(string(out)), err
}

// end stops the gateway, which must succeed unless the test ended it itself.
func (g *gateway) end(t *testing.T, log string) {
	t.Helper()
	_ = g.Process.Signal(syscall.SIGTERM) // ended by the test itself perhaps
	err := g.Wait()
	if killed := g.ProcessState.Sys().(syscall.WaitStatus).Signaled(); err != nil && !killed {
		t.Errorf("the gateway ended with %v", err)
	}
	if t.Failed() {
		text, _ := os.ReadFile(log)
		t.Logf("log of the gateway on %s:\n%s", g.host.Name(), text)
	}
}

// await tries until there is no error, or fails the test with the last one.
func await(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waiting for %s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
