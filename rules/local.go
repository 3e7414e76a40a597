package rules

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Local implements kernel. Routes are asked, because an address may be local
// without standing on an interface (ip-route(8), type local). An address
// without any route is not local.
func (r route) Local(a netip.Addr) bool {
	routes, err := netlink.RouteGet(a.AsSlice())
	return err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL
}
