package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/admin"
	"ftpalg/cmd/internal/api"
	"ftpalg/cmd/internal/words"
)

func newCert() *cobra.Command {
	ask := func(c *admin.Client) ([]api.Certificate, error) {
		s, err := c.Status()
		return s.Certificates, err
	}
	return newQuestion("cert", "List the certificates that listeners show to clients", ask, showCertificates)
}

func showCertificates(w io.Writer, all []api.Certificate, now time.Time) error {
	rows := make([]string, len(all))
	for i, c := range all {
		rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s", c.Listener, words.Plain(strings.Join(c.Names, " ")), c.NotAfter.Local().Format(time.DateTime), left(c.NotAfter.Sub(now)))
	}
	return table(w, "LISTENER\tNAMES\tENDS\tDAYS LEFT", rows)
}

// left says for how many days a certificate is good.
func left(d time.Duration) string {
	if d <= 0 {
		return "none: it has ended"
	}
	return fmt.Sprint(int(d / (24 * time.Hour)))
}
