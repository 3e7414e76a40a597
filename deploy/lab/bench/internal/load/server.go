package load

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Serve is the FTP server: any user may log in, and `RETR n` sends n bytes of
// zeros. It returns only with an error.
func Serve(at netip.AddrPort) error {
	config := net.ListenConfig{KeepAlive: -1} // idle sessions shall be idle
	config.SetMultipathTCP(false)
	listener, err := config.Listen(context.Background(), "tcp4", at.String())
	if err != nil {
		return fmt.Errorf("serve FTP: %w", err)
	}
	return serve(listener)
}

func serve(listener net.Listener) error {
	zeros, err := newZeros()
	if err != nil {
		return err
	}
	for {
		control, err := listener.Accept()
		if err != nil {
			return fmt.Errorf("serve FTP: %w", err)
		}
		s := &served{control: control, zeros: zeros, local: addr(control.LocalAddr()), listener: none}
		go s.run()
	}
}

// zerosLength is the length of the file that is sent over and over, in bytes.
const zerosLength = 1 << 20

// newZeros makes a file in memory (memfd_create(2)).
func newZeros() (int, error) {
	fd, err := unix.MemfdCreate("zeros", unix.MFD_CLOEXEC)
	if err != nil {
		return none, os.NewSyscallError("memfd_create", err)
	}
	if _, err := unix.Write(fd, make([]byte, zerosLength)); err != nil {
		return none, os.NewSyscallError("write", err)
	}
	return fd, nil
}

// none stands for no descriptor.
const none = -1

// served is one session as the server.
type served struct {
	control net.Conn
	local   netip.Addr
	zeros   int
	// listener waits for the next data connection, none if the server
	// connects, to target.
	listener socket
	target   netip.AddrPort
}

// run obeys until the client quits or is gone.
func (s *served) run() {
	defer s.control.Close()
	defer s.forget()
	s.reply("220 Ready.")
	lines := bufio.NewReaderSize(s.control, 64)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil || len(line) < len("NOOP\r\n") {
			return
		}
		verb := string(line[:4])
		s.obey(verb, line[4:])
		if verb == "QUIT" {
			return
		}
	}
}

func (s *served) obey(verb string, argument []byte) {
	switch verb {
	case "USER":
		s.reply("331 Password, please.")
	case "PASS":
		s.reply("230 Logged in.")
	case "QUIT":
		s.reply("221 Goodbye.")
	case "PASV", "EPSV":
		s.passive(verb)
	case "PORT":
		s.active(argument[1:])
	case "RETR":
		s.retrieve(argument)
	default: // NOOP, TYPE
		s.reply("200 Done.")
	}
}

// reply sends one line. A client that is gone is noticed by the next read.
func (s *served) reply(line string) { _, _ = s.control.Write([]byte(line + "\r\n")) }

func (s *served) passive(verb string) {
	s.forget()
	listener, port, err := listen(s.local, dataTimeout)
	if err != nil {
		s.reply("425 No port: " + err.Error() + ".")
		return
	}
	s.listener = listener
	if verb == "EPSV" {
		s.reply("229 Entering Extended Passive Mode (|||" + strconv.Itoa(int(port)) + "|).")
		return
	}
	s.reply("227 Entering Passive Mode (" + formatSix(netip.AddrPortFrom(s.local, port)) + ").")
}

func (s *served) active(argument []byte) {
	s.forget()
	target, err := parseSix(argument)
	if err != nil {
		s.reply("501 " + err.Error() + ".")
		return
	}
	s.target = target
	s.reply("200 Done.")
}

// forget ends the wait for a data connection.
func (s *served) forget() {
	if s.listener != none {
		_ = s.listener.Close() // nothing depends on it
		s.listener = none
	}
}

func (s *served) retrieve(argument []byte) {
	size, err := strconv.ParseInt(strings.TrimSpace(string(argument)), 10, 64)
	if err != nil {
		s.reply("501 Which length?")
		return
	}
	data, err := s.openData()
	if err != nil {
		s.reply("425 No data connection: " + err.Error() + ".")
		return
	}
	s.reply("150 Here it comes.")
	err = s.send(data, size)
	if closed := data.Close(); err == nil {
		err = closed
	}
	if err != nil {
		s.reply("426 " + err.Error() + ".")
		return
	}
	s.reply("226 Done.")
}

func (s *served) openData() (socket, error) {
	if s.listener == none {
		return dial(s.target, dataTimeout)
	}
	defer s.forget()
	return s.listener.accept()
}

// send sends zeros without copying them through this process.
func (s *served) send(data socket, size int64) error {
	for size > 0 {
		var offset int64
		n, err := unix.Sendfile(int(data), s.zeros, &offset, int(min(size, zerosLength)))
		switch err {
		case nil:
			size -= int64(n)
		case unix.EINTR:
		default:
			return os.NewSyscallError("sendfile", err)
		}
	}
	return nil
}

func addr(a net.Addr) netip.Addr { return a.(*net.TCPAddr).AddrPort().Addr().Unmap() }
