package iptables

import (
	"context"
	"errors"
	"fmt"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
	"strings"
	"time"

	"github.com/coreos/go-iptables/iptables"
)

// singleCalls does single operations through go-iptables.
type singleCalls struct{ tool *iptables.IPTables }

func newSingleCalls(f rule.Family, path string) (singleCalls, error) {
	protocol := iptables.ProtocolIPv4
	if f == rule.IPv6 {
		protocol = iptables.ProtocolIPv6
	}
	tool, err := iptables.New(iptables.IPFamily(protocol), iptables.Path(path), iptables.Timeout(lockSeconds))
	if err != nil {
		return singleCalls{}, &report.OpError{Op: "start " + path, Err: err}
	}
	return singleCalls{tool}, nil
}

// HasTable implements kernel. Listing a table loads its kernel module.
func (f singleCalls) HasTable(table string) error {
	err := bounded(func() error { _, err := f.tool.ListChains(table); return err })
	return opError("list", chain{table: table}, line{}, err)
}

// Insert implements kernel.
func (f singleCalls) Insert(r line) error {
	err := bounded(func() error { return f.tool.Insert(r.table, r.chain, 1, r.words...) })
	return opError("insert into", r.in(), r, err)
}

// bounded gives up a call of go-iptables after toolTimeout. Such a call
// cannot be ended: what it still does is found at the next check.
func bounded(call func() error) error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-time.After(toolTimeout):
		return fmt.Errorf("no answer in %s: %w", toolTimeout, context.DeadlineExceeded)
	}
}

// opError classifies an error of go-iptables, which puts the tool's words
// into the message.
func opError(op string, c chain, r line, err error) error {
	if err == nil {
		return nil
	}
	var failed *iptables.Error
	if errors.As(err, &failed) {
		_, said, _ := strings.Cut(failed.Error(), fmt.Sprintf("exit status %d: ", failed.ExitStatus()))
		err = toolError(said, err)
	}
	return &report.OpError{Op: op, Table: c.table, Chain: c.name, Rule: r.spec(), Err: err}
}
