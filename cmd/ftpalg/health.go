package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/admin"
	"ftpalg/cmd/internal/api"
	"ftpalg/cmd/internal/cli"
)

func newHealth() *cobra.Command {
	c := newJudgedQuestion("health", "Say in one line whether the gateway serves", (*admin.Client).Status, showHealth,
		func(s api.Status) error {
			if reason := unhealthy(s); reason != "" {
				return &cli.Answer{Status: cli.ExitFailed}
			}
			return nil
		})
	c.Long = "health is for check scripts (keepalived, Nagios, container probes). It exits with 0 where new sessions are served,\n" +
		"and with 1 otherwise: the gateway does not answer or is not ready, or no server of a listener with several works."
	return c
}

func showHealth(w io.Writer, s api.Status, _ time.Time) error {
	if reason := unhealthy(s); reason != "" {
		_, err := fmt.Fprintln(w, "not healthy:", reason)
		return err
	}
	_, err := fmt.Fprintln(w, "healthy")
	return err
}

// unhealthy says why new sessions are not served, "" if they are.
func unhealthy(s api.Status) string {
	if !s.Ready {
		return strings.Join(s.Missing, "; ")
	}
	up := map[string]bool{}
	for _, v := range s.Servers {
		up[v.Listener] = up[v.Listener] || v.Up
	}
	for _, v := range s.Servers {
		if !up[v.Listener] {
			return "listener " + v.Listener + ": none of its servers works"
		}
	}
	return ""
}
