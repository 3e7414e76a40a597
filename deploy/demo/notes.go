package main

import (
	"strings"
	"sync"

	"ftpalg/deploy/lab/ftp"
)

// side is one end of the control connection.
type side string

const (
	client side = "client"
	server side = "server"
)

func (s side) other() side {
	if s == client {
		return server
	}
	return client
}

// announcer returns who announces the data connection in a mode, and how the
// line begins with which it does (RFC 959 section 4.1.2, RFC 2428).
func announcer(m ftp.Mode) (who side, begins string) {
	switch m {
	case ftp.PASV:
		return server, "227 "
	case ftp.EPSV:
		return server, "229 "
	default:
		return client, string(m) + " "
	}
}

// note is one line at one end of the control connection.
type note struct {
	at   side
	sent bool
	text string
}

// notes are the lines of a scene at both ends. The client's goroutine and
// the server's write them.
type notes struct {
	mu  sync.Mutex
	all []note
}

// of returns the transcript function of one side.
func (n *notes) of(s side) func(sent bool, line string) {
	return func(sent bool, line string) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.all = append(n.all, note{s, sent, line})
	}
}

// last returns the latest line that a side sent or received and that begins
// with some text, or "".
func (n *notes) last(s side, sent bool, begins string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := len(n.all) - 1; i >= 0; i-- {
		if line := n.all[i]; line.at == s && line.sent == sent && strings.HasPrefix(line.text, begins) {
			return line.text
		}
	}
	return ""
}
