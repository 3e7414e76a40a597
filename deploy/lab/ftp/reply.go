package ftp

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
)

// maxReplyLines bounds a multi-line reply.
const maxReplyLines = 1000

// Reply is what a server answered.
type Reply struct {
	// Code is the three-digit number, 100 to 599.
	Code int
	// Lines are the reply's lines as they came, without their line ends.
	Lines []string
}

// String returns the last line, which is the one that counts.
func (r Reply) String() string {
	if len(r.Lines) == 0 {
		return "no reply"
	}
	return r.Lines[len(r.Lines)-1]
}

// class returns the first digit of the code (RFC 959 section 4.2).
func (r Reply) class() int { return r.Code / 100 }

// ReplyError is a reply of another class than the command needed.
type ReplyError struct {
	// Command is what was asked, the password excepted.
	Command string
	// Reply is what was answered.
	Reply Reply
}

// Error shows the command beside the answer.
func (e *ReplyError) Error() string { return fmt.Sprintf("%s: %s", e.Command, e.Reply) }

// readReply reads one reply in either form of RFC 959 section 4.2.
func readReply(r *bufio.Reader) (Reply, error) {
	var reply Reply
	for len(reply.Lines) < maxReplyLines {
		raw, err := r.ReadString('\n')
		if err != nil {
			return reply, fmt.Errorf("read reply: %w", err)
		}
		line := strings.TrimRight(raw, "\r\n")
		reply.Lines = append(reply.Lines, line)
		code, last := replyCode(line)
		if reply.Code == 0 {
			if code == 0 {
				return reply, fmt.Errorf("read reply: %q has no code", line)
			}
			reply.Code = code
		}
		if last && code == reply.Code {
			return reply, nil
		}
	}
	return reply, fmt.Errorf("read reply: more than %d lines", maxReplyLines)
}

// replyCode returns the code that a line begins with, 0 if with none, and
// whether the line can end a reply.
func replyCode(line string) (code int, last bool) {
	if len(line) < 3 {
		return 0, false
	}
	code, err := strconv.Atoi(line[:3])
	if err != nil || code < 100 || code > 599 {
		return 0, false
	}
	return code, len(line) == 3 || line[3] == ' '
}
