package ftp

import (
	"bufio"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"

	"ftpalg/deploy/lab/internal/socket"
)

// commandsAhead is how many commands are read ahead of a running transfer, to
// find an ABOR among them.
const commandsAhead = 64

// longestLine bounds a command, in bytes.
const longestLine = 4096

// session serves one control connection. One goroutine obeys the commands,
// and runs their transfers, in order; another reads ahead, because ABOR and
// the end of the control connection must end a transfer that runs.
type session struct {
	server  *Server
	control net.Conn
	peer    netip.Addr
	local   netip.Addr
	lines   chan string
	done    chan struct{} // closed when no more commands are obeyed

	loggedIn bool
	dir      string
	offset   int64 // from REST, for the next transfer
	epsvOnly bool  // after EPSV ALL
	next     dataSource
	buffer   []byte // for uploads

	mu        sync.Mutex
	interrupt func() // ends the running transfer; nil if none runs
	aborted   bool
}

func newSession(server *Server, control net.Conn) *session {
	return &session{
		server:  server,
		control: control,
		peer:    addrPort(control.RemoteAddr()).Addr(),
		local:   addrPort(control.LocalAddr()).Addr(),
		lines:   make(chan string, commandsAhead),
		done:    make(chan struct{}),
		dir:     "/",
	}
}

// run serves until QUIT or until the control connection ends.
func (s *session) run() {
	var reader sync.WaitGroup
	reader.Go(s.readLines)
	defer reader.Wait()
	defer s.control.Close() // ends the reader; nothing is left to say
	defer close(s.done)
	defer s.offer(dataSource{})

	s.reply("220 FTP server of the lab.")
	for line := range s.lines {
		if quit := s.obey(line); quit {
			return
		}
	}
}

// readLines hands on the commands. It interrupts a transfer for ABOR at once,
// and where the control connection ends without QUIT (RFC 959 section 4.1.1).
func (s *session) readLines() {
	defer close(s.lines)
	if conn, ok := s.control.(syscall.Conn); ok {
		_ = socket.UrgentInline(conn) // without it an ABOR merely lacks its mark
	}
	reader := bufio.NewReaderSize(s.control, longestLine)
	for quit := false; ; {
		raw, err := reader.ReadSlice('\n')
		if err != nil {
			if !quit {
				s.abort()
			}
			return
		}
		line := strings.TrimRight(withoutTelnet(raw), "\r\n")
		s.transcript(false, line)
		switch verb, _ := split(line); verb {
		case "ABOR":
			s.abort()
		case "QUIT":
			quit = true
		}
		select {
		case s.lines <- line:
		case <-s.done:
			return
		}
	}
}

// reply sends lines to the client. A client that is gone is noticed by the
// reader.
func (s *session) reply(lines ...string) {
	for _, line := range lines {
		s.transcript(true, line)
	}
	_, _ = s.control.Write([]byte(strings.Join(lines, "\r\n") + "\r\n"))
}

func (s *session) transcript(sent bool, line string) {
	if s.server.Transcript != nil {
		s.server.Transcript(sent, line)
	}
}

// abort ends the running transfer, if one runs.
func (s *session) abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.interrupt != nil {
		s.aborted = true
		s.interrupt()
	}
}

// interruptible sets what ends the transfer's present step; nil after it.
func (s *session) interruptible(interrupt func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interrupt = interrupt
}

// wasAborted reports whether abort ended a transfer since it was last asked.
func (s *session) wasAborted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	aborted := s.aborted
	s.aborted = false
	return aborted
}

// split separates a command's verb, in upper case, from its argument.
func split(line string) (verb, argument string) {
	verb, argument, _ = strings.Cut(line, " ")
	return strings.ToUpper(verb), argument
}
