// Package wire is the grammar of an FTP control connection and nothing else:
// bytes in, values out. It has no connection, no clock and no state beyond
// what cutting a stream into lines needs.
//
// # Lines
//
// A CommandSplitter cuts the client's stream, a ReplySplitter the server's.
// Both hand out each line as it came, terminator included, so that an
// untouched line can be sent on byte for byte. The end of a line is CRLF (RFC
// 959 section 5.3.1, RFC 2640 section 3.1), yet many peers end theirs in LF
// alone. A line that two parties could read differently has a Fault.
//
// # Commands
//
// ParseCommand finds the verb, in any case, and its argument (RFC 959 section
// 5.3), behind the telnet commands that may announce an ABOR (RFC 854, RFC 959
// section 4.1.3). The verbs are those of the registry in RFC 5797.
//
// # Replies
//
// A ReplyReader follows multi-line replies, in both forms that RFC 959 section
// 4.2 allows: with the code before every line, or before the first and last
// only.
//
// # Host-ports
//
//	PORT   h1,h2,h3,h4,p1,p2           RFC 959 section 4.1.2    ParsePORT
//	227    text h1,h2,h3,h4,p1,p2 text RFC 1123 section 4.1.2.6 Parse227
//	EPRT   <d>family<d>address<d>port<d>   RFC 2428 section 2   ParseEPRT
//	229    text <d><d><d>port<d> text      RFC 2428 section 3   Parse229
//	EPSV   nothing, a family, or ALL       RFC 2428 section 3   ParseEPSV
//
// A HostPort knows the Span of its digits and can append the line with other
// digits in their place.
//
// The parsers are lenient about what stands around the digits and strict about
// the digits: six numbers of at most three digits, octets 0 to 255, ports 1 to
// 65535 in at most five digits. Leading zeros within that length are decimal,
// as in RFC 959; an EPRT address has none (RFC 2428 section 2 refers to the
// standard text forms). What could be read in two ways is an error: two
// host-ports in one reply, a digit joined to a sign or a letter.
package wire
