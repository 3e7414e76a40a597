package nat

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// ErrUnresolved says that a public address is given by a name which has not
// been looked up yet.
var ErrUnresolved = errors.New("the public address is not known yet")

// Mapping is one address of this machine as a further NAT in front of it,
// which knows no FTP, shows it to the outside.
type Mapping struct {
	// Local is our address, Public the one that is seen instead of it: not
	// valid as long as its name has not been looked up.
	Local, Public netip.Addr
	// Name is the name that Public comes from, for messages.
	Name string
	// Except lists the peers that see Local as it is.
	Except []netip.Prefix
	// LocalPorts become PublicPorts, one by one; the ranges are of the same
	// size. Empty ranges leave the ports as they are.
	LocalPorts, PublicPorts Range
}

// Table lists the mappings of a gateway. It is not changed once in use.
type Table []Mapping

// See returns how peer sees our address local: by the first mapping of local
// that does not except peer, as it is if there is none. The error is
// ErrUnresolved if that mapping's public address is not known yet.
func (t Table) See(local, peer netip.Addr) (View, error) {
	m, _ := t.Applies(local, peer)
	switch {
	case m == nil:
		return View{Addr: local.Unmap()}, nil
	case !m.Public.IsValid():
		return View{}, fmt.Errorf("%w: %s", ErrUnresolved, m.Name)
	}
	return View{Addr: m.Public.Unmap(), local: m.LocalPorts, public: m.PublicPorts}, nil
}

// Applies returns the mapping by which peer sees our address local, nil if it
// sees it as it is, and those mappings of local before it that except peer.
func (t Table) Applies(local, peer netip.Addr) (applies *Mapping, excepting []*Mapping) {
	local, peer = local.Unmap(), peer.Unmap()
	for i := range t {
		switch m := &t[i]; {
		case m.Local.Unmap() != local:
		case m.excepts(peer):
			excepting = append(excepting, m)
		default:
			return m, excepting
		}
	}
	return nil, excepting
}

func (m *Mapping) excepts(peer netip.Addr) bool {
	return slices.ContainsFunc(m.Except, func(p netip.Prefix) bool { return p.Contains(peer) })
}

// View is how one peer sees one of our addresses.
type View struct {
	// Addr is the address that the peer sees.
	Addr netip.Addr

	local, public Range
}

// Port returns the port that the peer sees in place of our port local; not ok
// means that it does not see that port at all.
func (v View) Port(local uint16) (public uint16, ok bool) {
	if v.local.Size() == 0 {
		return local, true
	}
	offset := local - v.local.Low
	if !v.local.Contains(local) || int(offset) >= v.public.Size() {
		return 0, false
	}
	return v.public.Low + offset, true
}

// Usable reports whether the peer can reach our port local.
func (v View) Usable(local uint16) bool {
	_, ok := v.Port(local)
	return ok
}
