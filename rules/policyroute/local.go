package policyroute

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Local reports whether packets to an address end in this machine. Routes are
// asked, because an address may be local
// without standing on an interface (ip-route(8), type local). An address
// without any route is not local.
func (r Route) Local(a netip.Addr) bool {
	routes, err := netlink.RouteGet(a.AsSlice())
	return err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL
}
