package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/cli"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/daemon"
	"ftpalg/cmd/internal/explain"
)

func newExplain() *cobra.Command {
	var file, client, server string
	var asJSON bool
	q := explain.Question{Source: sourceTowards}
	c := &cobra.Command{
		Use:   "explain --client ADDR [--server ADDR[:PORT]]",
		Short: "Say what a configuration means for one client",
		Long: "explain says which listener takes the client, what the server sees, what PASV, EPSV, PORT and EPRT would tell to whom,\n" +
			"and what would be opened in the kernel. It touches nothing and needs no rights. It exits with 0 if a listener takes the\n" +
			"client, with 1 if none does, and with 2 if that depends on --server, which is missing.",
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if q.Client, err = netip.ParseAddr(client); err != nil {
				return &cli.MisuseError{Err: fmt.Errorf("--client: %w", err)}
			}
			if q.Server, err = parseServer(server); err != nil {
				return &cli.MisuseError{Err: err}
			}
			cfg, err := config.Load(file)
			if err != nil {
				return err
			}
			if err := daemon.FillServers(c.Context(), cfg); err != nil {
				return err
			}
			q.Now = time.Now()
			a, err := explain.Explain(cfg, q)
			if errors.Is(err, explain.ErrQuestion) {
				return &cli.MisuseError{Err: err}
			}
			if err != nil {
				return err
			}
			return showExplanation(c, a, asJSON)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", defaultConfig, "configuration `file`")
	c.Flags().StringVar(&client, "client", "", "the client's `address`")
	c.Flags().StringVar(&server, "server", "", "`address` that the client connects to, port 21 if it names none")
	c.Flags().StringVar(&q.Interface, "interface", "", "`name` of the interface where the client's packets come in")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func showExplanation(c *cobra.Command, a explain.Answer, asJSON bool) error {
	var err error
	if asJSON {
		err = printJSON(c.OutOrStdout(), a, time.Time{})
	} else {
		err = explain.Print(c.OutOrStdout(), a)
	}
	switch {
	case err != nil:
		return err
	case a.Taken():
		return nil
	case a.NeedsServer():
		return &cli.Answer{Status: cli.ExitMisused}
	}
	return &cli.Answer{Status: cli.ExitFailed}
}

// parseServer reads an address with or without a port; "" is none.
func parseServer(text string) (netip.AddrPort, error) {
	const ftp = 21
	if text == "" {
		return netip.AddrPort{}, nil
	}
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(a, ftp), nil
	}
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		return at, fmt.Errorf("--server: %w", err)
	}
	return at, nil
}

// sourceTowards asks the routing table from where this machine reaches an
// address: connecting a UDP socket sends nothing.
func sourceTowards(a netip.Addr) (netip.Addr, error) {
	c, err := net.Dial("udp", netip.AddrPortFrom(a, 9).String())
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}
