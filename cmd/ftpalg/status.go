package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ftpalg/alg/nat"
	"ftpalg/cmd/internal/admin"
	"ftpalg/cmd/internal/api"
	"ftpalg/cmd/internal/cli"
	"ftpalg/cmd/internal/words"
)

func newStatus() *cobra.Command {
	c := newJudgedQuestion("status", "Say whether the gateway is ready, and how it works", (*admin.Client).Status, showStatus,
		func(s api.Status) error {
			if !s.Ready {
				return &cli.Answer{Status: cli.ExitFailed}
			}
			return nil
		})
	c.Long = "status exits with 0 when the gateway is ready, and with 1 when it is not or does not answer."
	return c
}

func showStatus(w io.Writer, s api.Status, now time.Time) error {
	ready := "ready"
	if !s.Ready {
		ready = "not ready: " + strings.Join(s.Missing, "; ")
	}
	fmt.Fprintf(w, "ftpalg %s, %s, up %s\n", s.Version, ready, short(now.Sub(s.Started)))
	fmt.Fprintf(w, "configuration  %s, read %s\n", s.Config, s.Reloaded.Format(time.DateTime))
	if s.ReloadError != "" {
		fmt.Fprintf(w, "               a later one was not taken: %s\n", s.ReloadError)
	}
	fmt.Fprintf(w, "data path      %s (%s), %s\n", s.Path, s.Why, s.Netfilter)
	for i, l := range s.Listeners {
		head := "listeners"
		if i > 0 {
			head = ""
		}
		fmt.Fprintf(w, "%-14s %s\n", head, l)
	}
	for i, v := range s.Servers {
		head := "servers"
		if i > 0 {
			head = ""
		}
		fmt.Fprintf(w, "%-14s %s: %s\n", head, v.Listener, serverState(v))
	}
	fmt.Fprintf(w, "data ports     passive %s; active %s\n", level(s.Ports.Passive), level(s.Ports.Active))
	fmt.Fprintf(w, "so far         %s, %s; %s refused, %s turned away\n", words.Count(s.Counters.Transfers, "transfer"),
		words.Traffic(s.Counters.Traffic), words.Count(s.Counters.Refused, "line"), words.Count(s.Counters.TurnedAway, "connection"))
	_, err := fmt.Fprintf(w, "now            %s, %s\n", words.Count(uint64(s.Sessions), "session"), words.Count(uint64(s.Pinholes), "pinhole"))
	return err
}

// serverState says how one of several servers does.
func serverState(v api.Server) string {
	if v.Up {
		return fmt.Sprintf("%s, %s", v.Server, words.Count(uint64(v.Sessions), "session"))
	}
	return fmt.Sprintf("%s, %s, left out since %s: %s", v.Server, words.Count(uint64(v.Sessions), "session"), v.Since.Format(time.DateTime), v.Error)
}

// level says how far a range of ports is used.
func level(l nat.Level) string {
	return fmt.Sprintf("%d of %d leased, %d resting", l.Leased, l.Total, l.Resting)
}
