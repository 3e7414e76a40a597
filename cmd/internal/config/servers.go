package config

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
)

// servers is how the servers of a listener are written: one address or a list of
// them, or one name.
func (l *Listener) servers() list {
	of := endpoint("21")
	of.shape = described("an IP address or a name with a port, such as 198.18.1.20:21, [2001:db8::20]:21 or ftp.example.net:21")
	return list{
		single: true,
		grow: func() word {
			l.Servers = append(l.Servers, netip.AddrPort{})
			i := len(l.Servers) - 1
			return word{parse: func(text string) error { return l.parseServer(text, i) }, text: func() string { return "" }, shape: of.shape}
		},
		words: func() (all []word) {
			if l.ServerName != "" {
				name := net.JoinHostPort(l.ServerName, strconv.Itoa(int(l.ServerPort)))
				return []word{{text: func() string { return name }}}
			}
			for i := range l.Servers {
				all = append(all, one(&l.Servers[i], of))
			}
			return all
		},
	}
}

// parseServer takes the i-th server, or the name that stands in the place of all.
func (l *Listener) parseServer(text string, i int) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil || !isName(host) {
		if isName(text) {
			return errors.New(quote(text) + " has no port; write " + text + ":21")
		}
		if l.ServerName != "" {
			return errors.New(quote(text) + " stands beside a name, which may have several addresses itself")
		}
		l.Servers[i], err = endpoint("21").parse(text)
		return err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || n == 0:
		return errors.New(quote(text) + " has no valid port: ports are 1 to 65535")
	case len(l.Servers) > 1 || l.ServerName != "":
		return errors.New(quote(text) + " is a name, and stands alone: it may have several addresses itself")
	}
	l.ServerName, l.ServerPort = host, uint16(n)
	l.Servers = nil
	return nil
}
