package rules

import (
	"net/netip"

	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"
)

// tracked is what connection tracking knows of one family.
type tracked struct{ family Family }

// Came implements kernel. The kernel forgets a connection that was reset
// after 10 s, others later (Documentation/networking/nf_conntrack-sysctl.rst).
func (t tracked) Came() (map[flowKey]bool, error) {
	c, err := conntrack.Dial(nil)
	if err != nil {
		return nil, &OpError{Op: "reach connection tracking", Err: err}
	}
	defer c.Close()
	flows, err := c.DumpFilter(conntrack.NewFilter().Family(t.protocol()), nil)
	if err != nil {
		return nil, &OpError{Op: "list tracked connections", Err: err}
	}
	came := map[flowKey]bool{}
	for _, f := range flows {
		o := f.TupleOrig
		if o.Proto.Protocol == unix.IPPROTO_TCP {
			came[flowKey{o.IP.SourceAddress, netip.AddrPortFrom(o.IP.DestinationAddress, o.Proto.DestinationPort)}] = true
		}
	}
	return came, nil
}

func (t tracked) protocol() netfilter.ProtoFamily {
	if t.family == IPv6 {
		return netfilter.ProtoIPv6
	}
	return netfilter.ProtoIPv4
}
