package bench

import (
	"context"
	"errors"
	"net/netip"

	"ftpalg/deploy/lab/bench/internal/load"
)

// subject is what stands between clients and server: a column of the table.
type subject struct {
	name string
	// absent returns why this machine cannot have it, nil if it can.
	absent func(context.Context) error
	// install makes a stand's gateway ready.
	install func(*stand) error
	// ftps says that its clients speak TLS: it stands in a table of its own.
	ftps bool
	// lacks returns why a job is beyond it, "" if it is not.
	lacks func(load.Job) string
}

// The names of the subjects.
const (
	routing  = "routing"
	helper   = "kernel helper"
	viaCT    = "ftpalg conntrack"
	viaRules = "ftpalg iptables"
	viaRelay = "ftpalg relay"
	suse     = "ftp-proxy"
	relay    = "bare relay"

	// With TLS: a server that speaks it itself, and who speaks it for the load's
	// server.
	ownTLS   = "vsftpd's own"
	viaTLS   = "ftpalg"
	modProxy = "mod_proxy"
)

// subjects are the columns of the table, in order. The binary is ftpalg's.
func subjects(binary string) []subject {
	return []subject{
		{name: routing, absent: present, install: openRoad, lacks: everything},
		{name: helper, absent: present, install: kernelHelper, lacks: everything},
		ftpalg(viaCT, binary, "conntrack"),
		ftpalg(viaRules, binary, "iptables"),
		ftpalg(viaRelay, binary, "relay"),
		{name: suse, absent: suseAbsent, install: suseProxy, lacks: suseLacks},
		{name: relay, absent: present, install: bareRelay, lacks: relayLacks},
		{name: ownTLS, ftps: true, absent: vsftpdAbsent, install: vsftpdTLS, lacks: everything},
		secureFTPALG(viaTLS, binary),
		{name: modProxy, ftps: true, absent: modProxyAbsent, install: modProxyTLS, lacks: everything},
	}
}

func present(context.Context) error { return nil }
func everything(load.Job) string    { return "" }

// bareRelay passes every line on unread, and the data connections are routed.
// It is no gateway: it shows what a plain process between client and server
// costs, before it has done anything.
func bareRelay(st *stand) error {
	if err := st.Client.Route(netip.PrefixFrom(st.Own, st.Own.BitLen()).String(), st.Contact.String()); err != nil {
		return err
	}
	c, err := load.Relayer(st.ctx, st.Gateway, st.at, netip.AddrPortFrom(st.Own, ftpPort))
	if err != nil {
		return err
	}
	return st.pin(c).Start()
}

// relayLacks: a client takes the address in an EPSV reply from its control
// connection (RFC 2428 section 3), which ends at the relay.
func relayLacks(job load.Job) string {
	if job.Mode == load.EPSV {
		return "passes on EPSV unread, and clients would come to it for data"
	}
	return ""
}

// openRoad: the client knows the way, and nothing translates.
func openRoad(st *stand) error {
	st.at = netip.AddrPortFrom(st.Own, ftpPort)
	return st.Client.Route(netip.PrefixFrom(st.Own, st.Own.BitLen()).String(), st.Contact.String())
}

// kernelHelper: nf_conntrack_ftp on a strict edge, as
// Documentation/networking/nf_conntrack-sysctl.rst wants it since helpers are
// no longer assigned by themselves.
func kernelHelper(st *stand) error {
	contact, own := st.Contact.String(), st.Own.String()
	rules := [][]string{
		{"-t", "raw", "-A", "PREROUTING", "-p", "tcp", "-d", contact, "--dport", "21", "-j", "CT", "--helper", "ftp"},
		{"-t", "nat", "-A", "PREROUTING", "-p", "tcp", "-d", contact, "--dport", "21", "-j", "DNAT", "--to-destination", own},
		{"-A", "FORWARD", "-p", "tcp", "-d", own, "--dport", "21", "-m", "conntrack", "--ctstate", "NEW", "-j", "ACCEPT"},
		{"-A", "FORWARD", "-m", "conntrack", "--ctstate", "RELATED", "-m", "helper", "--helper", "ftp", "-j", "ACCEPT"},
	}
	errs := []error{st.Gateway.Strict()}
	for _, rule := range rules {
		_, err := st.Gateway.Iptables(rule...)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
