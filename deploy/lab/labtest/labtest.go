// Package labtest gives tests their network of test hosts.
package labtest

import (
	"context"
	"os"
	"testing"

	"ftpalg/deploy/lab"
)

// required is the environment variable that, set to 1, asks for tests with test
// hosts. A machine that cannot have them is a failure then.
const required = "FTPALG_E2E"

// prefix begins the names of the hosts of tests.
const prefix = "ftpalg-test"

// New builds a topology, such as lab.Inbound, for one test. It goes when the
// test ends, by panic too. The test is skipped unless FTPALG_E2E is 1; then it
// fails where hosts cannot be had.
func New(t testing.TB, topology func(context.Context, string) (*lab.Topology, error)) *lab.Topology {
	t.Helper()
	wanted(t)
	built, err := topology(context.WithoutCancel(t.Context()), prefix)
	check(t, err)
	t.Cleanup(func() { closeLab(t, built.Network) })
	return built
}

// Network is New for a test that lays its own cables.
func Network(t testing.TB) *lab.Network {
	t.Helper()
	wanted(t)
	n, err := lab.New(context.WithoutCancel(t.Context()), prefix)
	check(t, err)
	t.Cleanup(func() { closeLab(t, n) })
	return n
}

// wanted skips the test unless tests with test hosts are asked for.
func wanted(t testing.TB) {
	t.Helper()
	if os.Getenv(required) != "1" {
		t.Skip("set " + required + "=1 to run the tests with test hosts")
	}
}

func check(t testing.TB, err error) {
	t.Helper()
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
