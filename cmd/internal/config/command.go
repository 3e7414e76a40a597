package config

import (
	"fmt"
	"strings"
)

// command is a command of FTP, or SITE with a subcommand, in upper case.
func command() codec[string] {
	return codec[string]{parseCommand, verbatim, described("a command such as DELE, or SITE with a subcommand")}
}

func parseCommand(text string) (string, error) {
	words := strings.Fields(strings.ToUpper(text))
	for _, w := range words {
		if len(w) > longestName || strings.Trim(w, letters+digits+"_-") != "" {
			return "", fmt.Errorf("%s is no command of FTP", quote(text))
		}
	}
	switch {
	case len(words) == 1:
	case len(words) == 2 && words[0] == "SITE":
	default:
		return "", fmt.Errorf("%s is no command of FTP; write one verb, or SITE and one word", quote(text))
	}
	return strings.Join(words, " "), nil
}

// longestReply bounds the text of a reply, in bytes.
const longestReply = 200

// replyText is the text of a reply: one line of printable ASCII (RFC 959
// section 4.2).
func replyText() codec[string] {
	return codec[string]{parseReplyText, verbatim, described("the text of a reply")}
}

func parseReplyText(text string) (string, error) {
	switch {
	case len(text) > longestReply:
		return "", fmt.Errorf("%s is too long; a reply has at most %d characters", quote(text), longestReply)
	case strings.TrimSpace(text) == "" || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }):
		return "", fmt.Errorf("%s is no text of a reply; write one line of ASCII", quote(text))
	}
	return text, nil
}
