// Package proxyprotocol reads and writes headers of the PROXY protocol, by which a
// balancer says for whom it has made a connection (HAProxy, proxy-protocol.txt).
package proxyprotocol

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/pires/go-proxyproto"
	"golang.org/x/sys/unix"
)

// longestHeader bounds a header of the PROXY protocol, in bytes. Balancers send a
// few hundred at most.
const longestHeader = 4096

// Header returns the header of a version, 1 or 2, for a client. Both addresses are of
// one family: the client has reached the other.
func Header(version byte, client, reached netip.AddrPort) []byte {
	h := proxyproto.HeaderProxyFromAddrs(version, net.TCPAddrFromAddrPort(client), net.TCPAddrFromAddrPort(reached))
	b, err := h.Format()
	if err != nil {
		return LocalHeader(version)
	}
	return b
}

// LocalHeader returns the header of a connection that is for no client.
func LocalHeader(version byte) []byte {
	b, _ := (&proxyproto.Header{Version: version, Command: proxyproto.LOCAL, TransportProtocol: proxyproto.UNSPEC}).Format()
	return b
}

// lookAgain is how long a header that has come in part waits for the rest.
const lookAgain = 5 * time.Millisecond

// Conn is a TCP connection.
type Conn interface {
	io.Reader
	syscall.Conn
}

// Take takes the header off a connection, within its read deadline. It looks at what
// has come before it reads, so that nothing behind the header is read. It returns the
// client's address and that which the client reached; zero ones where the balancer
// speaks for itself, or does not know.
func Take(c Conn) (client, reached netip.AddrPort, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return client, reached, err
	}
	seen := make([]byte, longestHeader)
	for {
		n, err := peek(raw, seen)
		if err != nil {
			return client, reached, err
		}
		length, whole, err := headerLength(seen[:n])
		switch {
		case err != nil:
			return client, reached, err
		case !whole:
			time.Sleep(lookAgain) // what is there keeps the socket readable
			continue
		}
		client, reached, err = parseHeader(seen[:length])
		if err != nil {
			return client, reached, err
		}
		_, err = c.Read(seen[:length]) // all of it is there
		return client, reached, err
	}
}

// peek waits until something has come, and copies it without reading it. It ends
// with the connection's read deadline.
func peek(raw syscall.RawConn, into []byte) (n int, err error) {
	ended := raw.Read(func(fd uintptr) bool {
		n, _, err = unix.Recvfrom(int(fd), into, unix.MSG_PEEK)
		return err != unix.EAGAIN && err != unix.EINTR
	})
	switch {
	case ended != nil:
		return 0, ended
	case err == nil && n == 0:
		err = errors.New("the connection ends before its header")
	}
	return n, err
}

// errHeader says that what has come is not the beginning of a header.
var errHeader = errors.New("it begins with something else")

// headerLength returns the length of the header that b begins with, once that is
// known and all of it is there (proxy-protocol.txt sections 2.1 and 2.2).
func headerLength(b []byte) (length int, whole bool, err error) {
	const textBegins, longestText, lengthAt = "PROXY ", 107, 14
	binaryBegins := string(proxyproto.SIGV2)
	switch {
	case begins(b, textBegins):
		end := bytes.Index(b, []byte("\r\n"))
		if end < 0 && len(b) < longestText {
			return 0, false, nil
		}
		if end < 0 || end+2 > longestText {
			return 0, false, errHeader
		}
		return end + 2, true, nil
	case !begins(b, binaryBegins):
		return 0, false, errHeader
	case len(b) < lengthAt+2:
		return 0, false, nil
	}
	length = lengthAt + 2 + int(b[lengthAt])<<8 + int(b[lengthAt+1])
	if length > longestHeader {
		return 0, false, errors.New("the header is too long")
	}
	return length, len(b) >= length, nil
}

// begins reports whether b is the beginning of text, or begins with it.
func begins(b []byte, text string) bool {
	n := min(len(b), len(text))
	return string(b[:n]) == text[:n]
}

func parseHeader(b []byte) (client, reached netip.AddrPort, err error) {
	h, err := proxyproto.Read(bufio.NewReader(bytes.NewReader(b)))
	if err != nil {
		return client, reached, err
	}
	from, to, ok := h.TCPAddrs()
	if h.Command.IsLocal() || !ok {
		return client, reached, nil
	}
	return unmapped(from.AddrPort()), unmapped(to.AddrPort()), nil
}

func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
