// Package labtest gives tests their network of test hosts.
package labtest

import (
	"context"
	"errors"
	"os"
	"testing"

	"ftpalg/deploy/lab"
)

// required is the environment variable that, set to 1, makes a machine
// without test hosts a failure: a run that must not skip its end-to-end tests.
const required = "FTPALG_E2E"

// prefix begins the names of the hosts of tests.
const prefix = "ftpalg-test"

// New builds a topology, such as lab.Inbound, for one test. It goes when the
// test ends, by panic too. Where hosts cannot be had the test is skipped and
// says what is missing, or fails if FTPALG_E2E is 1.
func New(t testing.TB, topology func(context.Context, string) (*lab.Topology, error)) *lab.Topology {
	t.Helper()
	built, err := topology(context.WithoutCancel(t.Context()), prefix)
	check(t, err)
	t.Cleanup(func() { closeLab(t, built.Network) })
	return built
}

// Network is New for a test that lays its own cables.
func Network(t testing.TB) *lab.Network {
	t.Helper()
	n, err := lab.New(context.WithoutCancel(t.Context()), prefix)
	check(t, err)
	t.Cleanup(func() { closeLab(t, n) })
	return n
}

func check(t testing.TB, err error) {
	t.Helper()
	unavailable := new(lab.UnavailableError)
	if errors.As(err, &unavailable) && os.Getenv(required) != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func closeLab(t testing.TB, n *lab.Network) {
	t.Helper()
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}
