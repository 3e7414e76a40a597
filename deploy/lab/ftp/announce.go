package ftp

import (
	"fmt"
	"net/netip"
	"strings"
)

// lowestDataPort is the lowest port that PORT or EPRT may name (RFC 2577
// section 3).
const lowestDataPort = 1024

// announce answers the four commands that announce a data connection.
func (s *session) announce(verb, argument string) bool {
	switch verb {
	case "PASV", "PORT", "EPRT":
		if s.epsvOnly {
			s.reply("501 Only EPSV is allowed after EPSV ALL.") // RFC 2428 section 4
			return true
		}
	case "EPSV":
	default:
		return false
	}
	s.offer(dataSource{})
	switch verb {
	case "PASV":
		s.reply(s.pasv())
	case "EPSV":
		s.reply(s.epsv(argument))
	case "PORT":
		target, err := parseSix(argument)
		s.reply(s.active(verb, target, err))
	case "EPRT":
		s.reply(s.eprt(argument))
	}
	return true
}

func (s *session) pasv() string {
	told := s.local
	if s.server.Announce.IsValid() {
		told = s.server.Announce
	}
	if !told.Is4() {
		return "425 PASV cannot name an IPv6 address; use EPSV."
	}
	port, err := s.openPassive()
	if err != nil {
		return "425 Cannot open a passive port."
	}
	return fmt.Sprintf("227 Entering Passive Mode (%s).", formatSix(netip.AddrPortFrom(told, port)))
}

func (s *session) epsv(argument string) string {
	family := "1"
	if s.local.Is6() {
		family = "2"
	}
	switch strings.ToUpper(argument) {
	case "ALL":
		s.epsvOnly = true
		return "200 EPSV ALL ok."
	case "", family:
	default:
		return fmt.Sprintf("522 Network protocol not supported, use (%s)", family)
	}
	port, err := s.openPassive()
	if err != nil {
		return "425 Cannot open a passive port."
	}
	return fmt.Sprintf("229 Entering Extended Passive Mode (|||%d|)", port)
}

func (s *session) openPassive() (port uint16, err error) {
	listener, err := listenAnywhere(s.server.listen, s.local)
	if err != nil {
		return 0, err
	}
	s.offer(passiveSource(listener, s.peer, s.server.timeout()))
	return addrPort(listener.Addr()).Port(), nil
}

func (s *session) eprt(argument string) string {
	target, err := parseExtended(argument)
	if err == nil && target.Addr().Is4() != s.local.Is4() {
		return "522 Network protocol not supported."
	}
	return s.active("EPRT", target, err)
}

// active accepts only the client's own address and no reserved port: anything
// else would make the server attack third parties (RFC 2577 section 3).
func (s *session) active(verb string, target netip.AddrPort, err error) string {
	if err != nil || target.Addr() != s.peer || target.Port() < lowestDataPort {
		return fmt.Sprintf("500 Illegal %s command.", verb)
	}
	s.offer(activeSource(s.server.dial, s.local, target, s.server.timeout()))
	return fmt.Sprintf("200 %s command successful.", verb)
}

// offer replaces the next data connection, which closes the former one.
func (s *session) offer(next dataSource) {
	if s.next.cancel != nil {
		s.next.cancel()
	}
	s.next = next
}
