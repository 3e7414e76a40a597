package capture

import (
	"net/netip"
	"slices"

	"ftpalg/alg/dialogue"
)

// expected finds the announcements that a connection may belong to: by where
// it goes, and, since a NAT may have changed that address or the client have
// known better, by who opens it to which port.
type expected struct {
	at   map[netip.AddrPort][]*Announcement
	from map[netip.AddrPort][]*Announcement // the peer's host with the announced port
}

func newExpected() expected {
	return expected{at: make(map[netip.AddrPort][]*Announcement), from: make(map[netip.AddrPort][]*Announcement)}
}

// add expects the connection of an announcement.
func (e *expected) add(a *Announcement) {
	from := netip.AddrPortFrom(a.Peer(), a.Said.Port())
	e.at[a.Said] = append(e.at[a.Said], a)
	e.from[from] = append(e.from[from], a)
	if list := e.at[a.Said]; len(list) > maxSame {
		e.remove(list[0])
	}
	if list := e.from[from]; len(list) > maxSame {
		e.remove(list[0])
	}
}

// maxSame bounds the announcements of the same host and port that are
// expected at a time.
const maxSame = 64

// remove expects it no more.
func (e *expected) remove(a *Announcement) {
	drop(e.at, a.Said, a)
	drop(e.from, netip.AddrPortFrom(a.Peer(), a.Said.Port()), a)
}

func drop(m map[netip.AddrPort][]*Announcement, k netip.AddrPort, a *Announcement) {
	list := m[k]
	i := slices.Index(list, a)
	switch {
	case i < 0:
	case len(list) == 1:
		delete(m, k)
	default:
		m[k] = slices.Delete(list, i, i+1)
	}
}

// find returns the announcements that a connection from src to dst may be for:
// the latest that announced exactly dst to src, else to anybody; else the latest that announced this port to src.
func (e *expected) find(src, dst netip.AddrPort) []*Announcement {
	var own, others []*Announcement
	for _, a := range e.at[dst] {
		if a.Peer() == src.Addr() {
			own = wanting(own, a)
		} else {
			others = wanting(others, a)
		}
	}
	own, others = lastOf(own), lastOf(others)
	switch {
	case len(own) > 0 && own[0].Reason == dialogue.ThirdParty:
		// A transfer between two servers: the other one's PASV is meant too.
		return append(own, others...)
	case len(own) > 0:
		return own
	case len(others) > 0:
		return others
	}
	for _, a := range e.from[netip.AddrPortFrom(src.Addr(), dst.Port())] {
		own = wanting(own, a)
	}
	return lastOf(own)
}

// wanting adds a to the list if it waits for a connection.
func wanting(list []*Announcement, a *Announcement) []*Announcement {
	if a.wants() {
		return append(list, a)
	}
	return list
}

func lastOf(list []*Announcement) []*Announcement { return list[max(0, len(list)-1):] }
