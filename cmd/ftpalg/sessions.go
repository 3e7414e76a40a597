package main

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"ftpalg/alg"
	"ftpalg/cmd/internal/admin"
	"ftpalg/cmd/internal/api"
	"ftpalg/cmd/internal/words"
)

func newSessions() *cobra.Command {
	return newQuestion("sessions", "List the open sessions", (*admin.Client).Sessions, showSessions)
}

func showSessions(w io.Writer, all []api.Session, now time.Time) error {
	rows := make([]string, len(all))
	for i, s := range all {
		state := s.State
		if what := words.Transfer(&s); what != "" {
			state += ", " + what
		}
		rows[i] = fmt.Sprintf("%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s", s.Session, s.Listener, s.Client, s.Server,
			cmp.Or(words.Plain(s.User), "-"), short(now.Sub(s.Started)), short(time.Duration(s.Idle*float64(time.Second))),
			volume(s.Traffic), s.Announced, state)
	}
	return table(w, "SESSION\tLISTENER\tCLIENT\tSERVER\tUSER\tAGE\tIDLE\tBYTES\tANNOUNCED\tSTATE", rows)
}

// volume returns what was carried both ways, "-" where nothing was counted.
func volume(t alg.Traffic) string {
	if !t.Counted {
		return "-"
	}
	return words.Bytes(t.FromClient + t.FromServer)
}
