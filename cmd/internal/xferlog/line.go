// Package xferlog writes the transfer log: one line for each file that was
// transferred, in the form of wu-ftpd's xferlog(5), which statistics scripts
// of many sites read.
package xferlog

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Transfer is one file that was, or should have been, transferred.
type Transfer struct {
	// Ended is when it ended; Took is how long it lasted.
	Ended time.Time
	Took  time.Duration
	// Client is the host at the client's end.
	Client netip.Addr
	// Bytes is the size of what was carried.
	Bytes uint64
	// Name is the file's name as the client gave it.
	Name string
	// Text says that the file went in the representation type A or E, else
	// it went as an image (RFC 959 section 3.1.1).
	Text bool
	// Upload says that the file went to the server.
	Upload bool
	// User is the name under which the client logged in, "" if unknown.
	User string
	// TLS says that the client's data connection was under TLS.
	TLS bool
	// Complete says that the server confirmed the transfer.
	Complete bool
}

// line returns t as one line with its end. The fields are those of
// xferlog(5): current-time transfer-time remote-host file-size filename
// transfer-type special-action-flag direction access-mode username
// service-name authentication-method authenticated-user-id
// completion-status. The last but one is always unknown to us.
func (t Transfer) line() []byte {
	fields := []string{
		t.Ended.Format(time.ANSIC),
		strconv.FormatInt(int64(t.Took.Round(time.Second)/time.Second), 10),
		word(t.Client.String()),
		strconv.FormatUint(t.Bytes, 10),
		word(t.Name),
		choose(t.Text, "a", "b"),
		"_", // no special action
		choose(t.Upload, "i", "o"),
		choose(anonymous(t.User), "a", "r"),
		word(t.User),
		choose(t.TLS, "ftps", "ftp"), // as ProFTPD calls it
		"0",                          // no authentication method of RFC 931
		"*",
		choose(t.Complete, "c", "i"),
	}
	return append([]byte(strings.Join(fields, " ")), '\n')
}

func choose(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// anonymous reports whether a user name is one of those for everybody
// (RFC 1635; "ftp" is the usual alias).
func anonymous(user string) bool {
	return strings.EqualFold(user, "anonymous") || strings.EqualFold(user, "ftp")
}

// word returns s as one field: blanks and control characters become "_", and
// so does what is empty. Bytes that are no UTF-8 stay, as names in older
// charsets have them, but for those which some terminals obey (ISO/IEC 6429,
// 0x80 to 0x9F).
func word(s string) string {
	if s == "" {
		return "_"
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1 && s[0] < 0xA0,
			unicode.IsSpace(r), !unicode.IsPrint(r):
			b.WriteByte('_')
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}
