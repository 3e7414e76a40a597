package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// A folder of fragments that is changed at once, as Kubernetes changes a
// ConfigMap, is noticed; a bad one changes nothing, and sessions go on.
func TestAWatchedFolderIsReloaded(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	try(t, s.Gateway.AddAddress("wan", "203.0.113.2/24"))
	g := &gateway{host: s.Gateway, dir: publicDir(t)}
	t.Cleanup(func() { showIfFailed(t, g.logFile()) })
	base := settings{listeners: "[{name: first, listen: 203.0.113.1:21, server: 198.18.1.20:21}]"}.yaml(g.socket())
	more := func(at string) string {
		return "listeners: [{name: second, listen: " + at + ", server: 198.18.1.20:21}]\n"
	}
	folder := filepath.Join(g.dir, "conf.d")
	publish(t, folder, 1, map[string]string{"10-base.yaml": base})
	log, err := os.Create(g.logFile())
	try(t, err)
	defer log.Close()
	g.command = s.Gateway.Command(context.WithoutCancel(t.Context()), os.Getenv(binaryVariable), "run", "--watch", "--config", folder)
	g.command.Stdout, g.command.Stderr = log, log
	try(t, g.command.Start())
	within(t, readyTimeout, "the gateway is ready", func() error {
		_, err := g.ask("status")
		return err
	})
	c := s.connect(t)
	publish(t, folder, 2, map[string]string{"10-base.yaml": base, "20-more.yaml": more("203.0.113.2:21")})
	within(t, waitTimeout, "the second listener is there", func() error {
		other, err := ftp.Connect(t.Context(), "203.0.113.2:21", ftp.Options{Dial: s.Client.Dial, Listen: s.Client.Listen})
		if err == nil {
			err = other.Quit()
		}
		return err
	})
	publish(t, folder, 3, map[string]string{"10-base.yaml": base, "20-more.yaml": more("203.0.113.2")})
	within(t, waitTimeout, "the bad fragment is named", func() error {
		if !strings.Contains(g.log(t), "20-more.yaml:1:") {
			return fmt.Errorf("nothing is said")
		}
		return nil
	})
	fetch(t, c, s.server.files, ftp.PASV, "pub/file")
	fetch(t, s.connect(t), s.server.files, ftp.PORT, "pub/file")
	publish(t, folder, 4, map[string]string{"10-base.yaml": base})
	within(t, waitTimeout, "the second listener has gone", func() error {
		if out, err := g.ask("status"); err != nil || strings.Contains(out, "203.0.113.2") {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	fetch(t, c, s.server.files, ftp.EPSV, "pub/file")
	g.stop(t)
}

// publish makes files the content of a folder, at once.
func publish(t *testing.T, folder string, version int, files map[string]string) {
	t.Helper()
	now := filepath.Join(folder, fmt.Sprintf("..version%d", version))
	try(t, os.MkdirAll(now, 0o755))
	for name, text := range files {
		try(t, os.WriteFile(filepath.Join(now, name), []byte(text), 0o644))
	}
	next := filepath.Join(folder, "..next")
	try(t, os.Symlink(filepath.Base(now), next))
	try(t, os.Rename(next, filepath.Join(folder, "..data")))
}
