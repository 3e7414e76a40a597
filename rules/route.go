package rules

import (
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// route is the policy route of one family that delivers marked packets to
// local sockets whatever their destination address: a rule that sends them
// to a table of its own, and in it one route that calls every address local
// (kernel Documentation/networking/tproxy.rst).
type route struct {
	family          Family
	mark            uint32
	table, priority int
}

// Route implements kernel.
func (r route) Route() []string {
	return []string{
		fmt.Sprintf("ip -%d rule add priority %d fwmark %s lookup %d", r.family, r.priority, bit(r.mark), r.table),
		fmt.Sprintf("ip -%d route add local default dev lo table %d", r.family, r.table),
	}
}

// HasRoute implements kernel.
func (r route) HasRoute() (bool, error) {
	rules, routes, err := r.list()
	return len(rules) > 0 && len(routes) > 0, err
}

// AddRoute implements kernel.
func (r route) AddRoute() error {
	rules, routes, err := r.list()
	if err != nil {
		return err
	}
	if len(routes) == 0 {
		if err := r.addRoute(); err != nil {
			return r.failed("add route", err)
		}
	}
	if len(rules) == 0 {
		return r.failed("add policy rule", netlink.RuleAdd(r.rule()))
	}
	return nil
}

func (r route) addRoute() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.RouteAdd(&netlink.Route{
		Family: r.netlinkFamily(), Table: r.table, Type: unix.RTN_LOCAL, Scope: netlink.SCOPE_HOST,
		LinkIndex: lo.Attrs().Index, Dst: r.everywhere(),
	})
}

// RemoveRoute implements kernel.
func (r route) RemoveRoute() (bool, error) {
	rules, routes, err := r.list()
	if err != nil {
		return false, err
	}
	for _, found := range rules {
		if err := netlink.RuleDel(&found); err != nil && !errors.Is(err, unix.ENOENT) {
			return false, r.failed("delete policy rule", err)
		}
	}
	for _, found := range routes {
		if err := netlink.RouteDel(&found); err != nil && !errors.Is(err, unix.ESRCH) {
			return false, r.failed("delete route", err)
		}
	}
	return len(rules)+len(routes) > 0, nil
}

// list returns the rules and routes that are ours: those with our mark,
// priority and table, and the local default in that table.
func (r route) list() ([]netlink.Rule, []netlink.Route, error) {
	rules, err := netlink.RuleListFiltered(r.netlinkFamily(), r.rule(),
		netlink.RT_FILTER_TABLE|netlink.RT_FILTER_PRIORITY|netlink.RT_FILTER_MARK|netlink.RT_FILTER_MASK)
	if unsupported(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, r.failed("list policy rules", err)
	}
	found, err := netlink.RouteListFiltered(r.netlinkFamily(), &netlink.Route{Table: r.table, Type: unix.RTN_LOCAL},
		netlink.RT_FILTER_TABLE|netlink.RT_FILTER_TYPE)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, nil, r.failed("list routes", err)
	}
	var routes []netlink.Route
	for _, candidate := range found {
		if candidate.Dst == nil || candidate.Dst.String() == r.everywhere().String() {
			routes = append(routes, candidate)
		}
	}
	return rules, routes, nil
}

func (r route) rule() *netlink.Rule {
	rule := netlink.NewRule()
	rule.Family, rule.Priority, rule.Table = r.netlinkFamily(), r.priority, r.table
	rule.Mark, rule.Mask = r.mark, &r.mark
	return rule
}

func (r route) everywhere() *net.IPNet {
	if r.family == IPv6 {
		return &net.IPNet{IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)}
	}
	return &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}
}

func (r route) netlinkFamily() int {
	if r.family == IPv6 {
		return netlink.FAMILY_V6
	}
	return netlink.FAMILY_V4
}

// unsupported reports whether the kernel does not speak the family at all;
// then nothing of ours can be there.
func unsupported(err error) bool {
	return errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EOPNOTSUPP)
}

func (r route) failed(op string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		err = fmt.Errorf("%w (%w)", ErrNotPermitted, err)
	}
	return &OpError{Op: fmt.Sprintf("%s %s table %d", op, r.family, r.table), Err: err}
}
