package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"ftpalg/alg"
	"ftpalg/cmd/internal/admin"
)

func newSessions() *cobra.Command {
	return newQuestion("sessions", "List the open sessions", (*admin.Client).Sessions, showSessions)
}

func showSessions(w io.Writer, all []alg.SessionInfo, now time.Time) error {
	rows := make([]string, len(all))
	for i, s := range all {
		state := s.State
		if s.Transferring {
			state += ", transferring"
		}
		rows[i] = fmt.Sprintf("%d\t%s\t%s\t%s\t%s\t%s\t%s\t%d", s.Session, s.Listener, s.Client, s.Server,
			short(now.Sub(s.Started)), short(time.Duration(s.Idle*float64(time.Second))), state, s.Announced)
	}
	return table(w, "SESSION\tLISTENER\tCLIENT\tSERVER\tAGE\tIDLE\tSTATE\tANNOUNCED", rows)
}
