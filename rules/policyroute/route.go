package policyroute

import (
	"errors"
	"fmt"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Route is the policy route of one family that delivers marked packets to
// local sockets whatever their destination address: a rule that sends them
// to a table of its own, and in it one route that calls every address local
// (kernel Documentation/networking/tproxy.rst).
type Route struct {
	Family rule.Family
	// Mark is a bit of the packet's mark.
	Mark uint32
	// Table and Priority are those of the policy rule.
	Table, Priority int
}

// RouteCommands returns the commands of ip(8) that would make the policy route.
func (r Route) RouteCommands() []string {
	return []string{
		fmt.Sprintf("ip -%d rule add priority %d fwmark %#x/%#x lookup %d", r.Family, r.Priority, r.Mark, r.Mark, r.Table),
		fmt.Sprintf("ip -%d route add local default dev lo table %d", r.Family, r.Table),
	}
}

// HasRoute reports whether the whole policy route is there.
func (r Route) HasRoute() (bool, error) {
	rules, routes, err := r.list()
	return len(rules) > 0 && len(routes) > 0, err
}

// AddRoute adds what of the policy route is missing. The error is an OpError.
func (r Route) AddRoute() error {
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

func (r Route) addRoute() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.RouteAdd(&netlink.Route{
		Family: r.netlinkFamily(), Table: r.Table, Type: unix.RTN_LOCAL, Scope: netlink.SCOPE_HOST,
		LinkIndex: lo.Attrs().Index, Dst: r.everywhere(),
	})
}

// RemoveRoute removes what of the policy route is there, and reports whether
// there was any. The error is an OpError.
func (r Route) RemoveRoute() (bool, error) {
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
func (r Route) list() ([]netlink.Rule, []netlink.Route, error) {
	rules, err := netlink.RuleListFiltered(r.netlinkFamily(), r.rule(),
		netlink.RT_FILTER_TABLE|netlink.RT_FILTER_PRIORITY|netlink.RT_FILTER_MARK|netlink.RT_FILTER_MASK)
	if unsupported(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, r.failed("list policy rules", err)
	}
	found, err := netlink.RouteListFiltered(r.netlinkFamily(), &netlink.Route{Table: r.Table, Type: unix.RTN_LOCAL},
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

func (r Route) rule() *netlink.Rule {
	rule := netlink.NewRule()
	rule.Family, rule.Priority, rule.Table = r.netlinkFamily(), r.Priority, r.Table
	rule.Mark, rule.Mask = r.Mark, &r.Mark
	return rule
}

func (r Route) everywhere() *net.IPNet {
	if r.Family == rule.IPv6 {
		return &net.IPNet{IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)}
	}
	return &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}
}

func (r Route) netlinkFamily() int {
	if r.Family == rule.IPv6 {
		return netlink.FAMILY_V6
	}
	return netlink.FAMILY_V4
}

// unsupported reports whether the kernel does not speak the family at all;
// then nothing of ours can be there.
func unsupported(err error) bool {
	return errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EOPNOTSUPP)
}

func (r Route) failed(op string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		err = fmt.Errorf("%w (%w)", report.ErrNotPermitted, err)
	}
	return &report.OpError{Op: fmt.Sprintf("%s %s table %d", op, r.Family, r.Table), Err: err}
}
