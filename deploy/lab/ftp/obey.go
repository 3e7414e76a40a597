package ftp

import (
	"fmt"
	"path"
	"strconv"
)

// obey answers one command. It reports whether it was the last.
func (s *session) obey(line string) (quit bool) {
	verb, argument := split(line)
	switch {
	case verb == "QUIT":
		s.reply("221 Goodbye.")
		return true
	case s.greet(verb):
	case !s.loggedIn:
		s.reply("530 Please login with USER and PASS.")
	case s.settle(verb, argument):
	case s.browse(verb, argument):
	case s.announce(verb, argument):
	case s.move(verb, argument):
	default:
		s.reply("502 Command not implemented.")
	}
	return false
}

// greet answers what may be asked before the login.
func (s *session) greet(verb string) bool {
	switch verb {
	case "USER":
		s.loggedIn = false
		s.reply("331 Please specify the password.")
	case "PASS":
		s.loggedIn = true
		s.reply("230 Login successful.")
	case "AUTH":
		s.reply("502 Command not implemented.")
	case "SYST":
		s.reply("215 UNIX Type: L8")
	case "FEAT":
		s.reply("211-Features:", " EPRT", " EPSV", " PASV", " REST STREAM", " SIZE", "211 End")
	case "NOOP":
		s.reply("200 NOOP ok.")
	default:
		return false
	}
	return true
}

// settle answers the commands that prepare or end a transfer.
func (s *session) settle(verb, argument string) bool {
	switch verb {
	case "TYPE":
		s.reply(typeReply(argument))
	case "REST":
		offset, err := strconv.ParseUint(argument, 10, 63)
		if err != nil {
			s.reply("501 REST needs a number of bytes.")
			return true
		}
		s.offset = int64(offset)
		s.reply(fmt.Sprintf("350 Restart position accepted (%d).", offset))
	case "ABOR":
		if s.wasAborted() {
			s.reply("226 ABOR successful.")
		} else {
			s.reply("225 No transfer to ABOR.")
		}
	default:
		return false
	}
	return true
}

// typeReply answers TYPE. Bytes are sent as they are in either type.
func typeReply(argument string) string {
	switch argument {
	case "A", "a", "A N":
		return "200 Switching to ASCII mode."
	case "I", "i", "L 8":
		return "200 Switching to Binary mode."
	}
	return "504 Only the types A, I and L 8 are known."
}

// browse answers the commands about names.
func (s *session) browse(verb, argument string) bool {
	switch verb {
	case "PWD":
		s.reply(fmt.Sprintf("257 %q is the current directory", s.dir))
	case "CWD":
		entries, ok := s.server.Files.list(s.path(argument))
		if _, isFile := s.server.Files.Get(s.path(argument)); !ok || isFile {
			s.reply("550 Failed to change directory.")
			return true
		}
		s.dir = s.path(argument)
		s.reply(fmt.Sprintf("250 Directory successfully changed (%d entries).", len(entries)))
	case "SIZE":
		content, ok := s.server.Files.Get(s.path(argument))
		if !ok {
			s.reply("550 Could not get file size.")
			return true
		}
		s.reply(fmt.Sprintf("213 %d", content.Size()))
	default:
		return false
	}
	return true
}

// path returns the absolute path of a name that the client gave.
func (s *session) path(name string) string {
	if path.IsAbs(name) {
		return absolute(name)
	}
	return absolute(path.Join(s.dir, name))
}
