package iptables

import (
	"bytes"
	"context"
	"errors"
	"ftpalg/rules/report"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// lockSeconds is how long a tool waits for the xtables lock.
	lockSeconds = 5
	// toolTimeout ends a tool that hangs. It leaves room for the lock, and
	// for a large foreign rule set to be read.
	toolTimeout = 15 * time.Second
)

// saveRestore runs iptables-save and iptables-restore (or the ip6tables- ones).
type saveRestore struct{ save, restore string }

// Save implements kernel.
func (b saveRestore) Save(ctx context.Context) (snapshot, error) {
	out, err := run(ctx, "", b.save, "-c")
	if err != nil {
		return snapshot{}, &report.OpError{Op: "save", Err: err}
	}
	s, err := parseSave(bytes.NewReader(out))
	if err != nil {
		return snapshot{}, &report.OpError{Op: "save", Err: err}
	}
	return s, nil
}

// Restore implements kernel.
func (b saveRestore) Restore(ctx context.Context, t transaction) error {
	text := t.String()
	if _, err := run(ctx, text, b.restore, "--noflush", "-w", strconv.Itoa(lockSeconds)); err != nil {
		return &report.OpError{Op: "restore", Rule: blamed(text, err), Err: err}
	}
	return nil
}

// blamed returns the line of a transaction that the tool complained of.
func blamed(text string, err error) string {
	found := regexp.MustCompile(`line:? (\d+)`).FindStringSubmatch(err.Error())
	if found == nil {
		return ""
	}
	n, _ := strconv.Atoi(found[1])
	lines := strings.Split(text, "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

// run runs a tool and returns its standard output. Its words on standard
// error become the error.
func run(ctx context.Context, stdin, path string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, toolTimeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case err == nil:
		return stdout.Bytes(), nil
	case ctx.Err() != nil:
		return nil, errors.Join(ctx.Err(), err)
	default:
		return nil, toolError(stderr.String(), err)
	}
}
