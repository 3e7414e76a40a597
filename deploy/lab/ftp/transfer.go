package ftp

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
)

// maxUpload is the longest upload kept in memory, in bytes.
const maxUpload = 256 << 20

// move answers the commands that use a data connection.
func (s *session) move(verb, argument string) bool {
	switch verb {
	case "RETR":
		s.retrieve(s.path(argument))
	case "STOR":
		s.store(s.path(argument))
	case "LIST":
		s.list(argument, entry.String)
	case "NLST":
		s.list(argument, func(e entry) string { return e.name })
	default:
		return false
	}
	s.offset = 0 // REST counts for the next transfer only (RFC 959 section 4.1.3)
	return true
}

func (s *session) retrieve(name string) {
	content, ok := s.server.Files.Get(name)
	if !ok || s.offset > content.Size() {
		s.reply("550 Failed to open file.")
		return
	}
	opening := fmt.Sprintf("150 Opening data connection for %s (%d bytes).", name, content.Size())
	s.transfer(opening, func(conn net.Conn) error {
		_, err := content.WriteFrom(patientWriter{conn, s.server.timeout()}, s.offset)
		return err
	})
}

func (s *session) store(name string) {
	if s.offset > 0 {
		s.reply("554 Uploads begin at the beginning.")
		return
	}
	s.transfer("150 Ok to send data.", func(conn net.Conn) error {
		if strings.HasPrefix(name, discardDir) {
			return s.receive(io.Discard, conn)
		}
		var upload bytes.Buffer
		if err := s.receive(&limitedBuffer{&upload}, conn); err != nil {
			return err
		}
		s.server.Files.Put(name, Bytes(upload.Bytes()))
		return nil
	})
}

func (s *session) receive(w io.Writer, conn net.Conn) error {
	if s.buffer == nil {
		s.buffer = make([]byte, bufferSize)
	}
	_, err := receive(w, conn, s.buffer, s.server.timeout())
	return err
}

// list sends a directory, one entry a line. Options such as -a mean nothing
// here.
func (s *session) list(argument string, format func(entry) string) {
	if strings.HasPrefix(argument, "-") {
		_, argument, _ = strings.Cut(argument, " ")
	}
	entries, _ := s.server.Files.list(s.path(argument)) // what does not exist is listed empty, as by vsftpd
	var text strings.Builder
	for _, e := range entries {
		text.WriteString(format(e) + "\r\n")
	}
	s.transfer("150 Here comes the directory listing.", func(conn net.Conn) error {
		_, err := io.WriteString(patientWriter{conn, s.server.timeout()}, text.String())
		return err
	})
}

// transfer opens the data connection, says so, moves the data, closes the
// connection, and only then reports the end.
func (s *session) transfer(opening string, move func(net.Conn) error) {
	source := s.next
	s.next = dataSource{}
	if source.open == nil {
		s.reply("425 Use PASV, EPSV, PORT or EPRT first.")
		return
	}
	s.interruptible(source.cancel)
	defer s.interruptible(nil)
	conn, err := source.open()
	source.cancel()
	if err != nil {
		s.reply("425 Failed to establish the data connection: " + err.Error())
		return
	}
	s.interruptible(func() { _ = conn.Close() }) // move then ends with an error
	s.reply(opening)
	err = move(conn)
	if closed := conn.Close(); err == nil {
		err = closed
	}
	if err != nil {
		s.reply("426 Data connection ended early; transfer aborted.")
		return
	}
	s.reply("226 Transfer complete.")
}

// limitedBuffer refuses to grow beyond maxUpload.
type limitedBuffer struct{ *bytes.Buffer }

// Write implements io.Writer.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxUpload {
		return 0, fmt.Errorf("upload is longer than %d bytes", maxUpload)
	}
	return b.Buffer.Write(p)
}
