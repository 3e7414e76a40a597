// Command ftpalg is an FTP application-layer gateway for Linux network edges.
package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/cli"
)

func main() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) }

// execute runs one command line and returns its exit status.
func execute(args []string, stdout, stderr io.Writer) int {
	return cli.Execute(newRoot(), args, stdout, stderr)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "ftpalg",
		Short: "FTP through NAT and a closed firewall",
		Long:  "ftpalg takes over the control connections of FTP sessions at a network edge, rewrites\nthe addresses in them to fit the NAT, and opens each data connection in netfilter, one at a time.",
	}
	root.AddCommand(newRun(), newWorker(), newCheck(), newPrintConfig(), newSchema(), newManual(), newStatus(), newHealth(), newSessions(), newSession(), newKill(), newBans(), newCert(), newPinholes(), newTop(), newReload(), newUpgrade(), newDrain(), newCleanup(), newDoctor(), newExplain(), newInspect(), newVersion())
	for _, c := range root.Commands() {
		if c.Args == nil {
			c.Args = noArgs
		}
	}
	return root
}

func noArgs(c *cobra.Command, args []string) error {
	if err := cobra.NoArgs(c, args); err != nil {
		return &cli.MisuseError{Err: err}
	}
	return nil
}
