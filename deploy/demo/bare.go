package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"ftpalg/deploy/lab/ftp"
)

// kernelNAT is what an operator writes who has no gateway: port 21 is sent to
// the server and let through.
func kernelNAT() []rule {
	return []rule{
		{"nat", "-A PREROUTING -d 203.0.113.1/32 -p tcp -m tcp --dport 21 -j DNAT --to-destination 198.18.1.20"},
		{"filter", "-A FORWARD -d 198.18.1.20/32 -p tcp -m tcp --dport 21 -m conntrack --ctstate NEW -j ACCEPT"},
	}
}

// withoutGateway shows that the login works, and that no transfer does.
func (s *story) withoutGateway(ctx context.Context, st *stage) error {
	s.page.line("")
	s.page.line("    added to the strict firewall:")
	for _, r := range kernelNAT() {
		s.page.rule(r)
		if _, err := st.Gateway.Iptables(append([]string{"-t", r.table}, strings.Fields(r.line)...)...); err != nil {
			return err
		}
	}
	c, err := st.connect(ctx)
	if err != nil {
		return err
	}
	s.page.line("")
	s.page.fact("login works", plain, st.notes.last(client, false, "230 "))
	for _, mode := range st.scene.modes {
		if err := s.showFailure(st, c, mode); err != nil {
			return errors.Join(err, c.Close())
		}
	}
	return c.Quit()
}

func (s *story) showFailure(st *stage, c *ftp.Client, m ftp.Mode) error {
	t, err := st.transfer(c, m, false)
	failed, unexpected := dataFailure(m, err)
	if unexpected != nil {
		return unexpected
	}
	s.failed++
	s.page.failure(t, failed, st.Contact)
	return nil
}

// dataFailure returns why the data connection could not be opened. Any other
// outcome is unexpected: that the transfer worked, or failed otherwise.
func dataFailure(m ftp.Mode, err error) (failed *net.OpError, unexpected error) {
	switch {
	case err == nil:
		return nil, fmt.Errorf("%s: the transfer worked without the gateway, which it must not", m)
	case !errors.As(err, &failed) || failed.Op != "dial" || errors.Is(err, context.Canceled):
		return nil, fmt.Errorf("%s: it failed otherwise than it must: %w", m, err)
	}
	return failed, nil
}

// failure writes how a transfer failed that the client began at contact.
func (p *page) failure(t transfer, failed *net.OpError, contact netip.Addr) {
	outcome := failed.Err.Error()
	if failed.Timeout() {
		outcome = fmt.Sprintf("no answer in %.1f s", patience.Seconds())
	}
	why := "The server announced its private address: it knows no NAT."
	if tried, err := netip.ParseAddrPort(failed.Addr.String()); err == nil && tried.Addr() == contact {
		why = "Right address, but nothing opens that port in the firewall."
	}
	p.heading(t)
	p.fact("server said", plain, t.said)
	p.fact("client was told", plain, t.told)
	p.fact("client tries", plain, failed.Addr.String())
	p.fact("", bad, "fails: "+outcome)
	p.fact("why", plain, why)
}
