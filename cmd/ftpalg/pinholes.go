package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/admin"
	"ftpalg/cmd/internal/api"
)

func newPinholes() *cobra.Command {
	return newQuestion("pinholes", "List the promised data connections", (*admin.Client).Pinholes, showPinholes)
}

func showPinholes(w io.Writer, all []api.Pinhole, now time.Time) error {
	rows := make([]string, len(all))
	for i, p := range all {
		rows[i] = fmt.Sprintf("%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", p.Session, p.Mode, p.From, p.Reached, p.Target, p.Seen,
			p.State, short(p.Expires.Sub(now)), volume(p.Traffic))
	}
	return table(w, "SESSION\tMODE\tFROM\tTO\tTARGET\tSEEN AS\tSTATE\tEXPIRES IN\tBYTES", rows)
}
