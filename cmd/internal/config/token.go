package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// The size of a token, in bytes. The least makes guessing hopeless, the most
// keeps a header field with it small.
const (
	shortestToken = 16
	longestToken  = 512
)

// ParseToken returns text as a token. An error never repeats the text.
func ParseToken(text string) (Secret, error) {
	switch {
	case len(text) < shortestToken:
		return Secret{}, fmt.Errorf("has %d characters; at least %d are needed", len(text), shortestToken)
	case len(text) > longestToken:
		return Secret{}, fmt.Errorf("has %d characters; at most %d are possible", len(text), longestToken)
	case strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' }):
		// What does not fit a header field (RFC 9110 section 5.5).
		return Secret{}, errors.New("holds a space, a control character or a letter beyond ASCII; write one without")
	}
	return Secret{text}, nil
}

func token() codec[Secret] {
	return codec[Secret]{ParseToken, Secret.String, described("16 to 512 characters")}
}

// ReadToken returns the token that HTTP asks for, from TokenFile where that is
// set; the zero Secret if it asks for none. White space around the token of a
// file does not count.
func (a *Admin) ReadToken() (Secret, error) {
	if a.TokenFile == "" {
		return a.Token, nil
	}
	f, err := os.Open(a.TokenFile)
	if err != nil {
		return Secret{}, fmt.Errorf("admin.token_file: %w", err)
	}
	defer f.Close()
	const room = 64 // for white space
	text, err := io.ReadAll(io.LimitReader(f, longestToken+room))
	if err != nil {
		return Secret{}, fmt.Errorf("admin.token_file: %w", err)
	}
	t, err := ParseToken(strings.TrimSpace(string(text)))
	if err != nil {
		return Secret{}, fmt.Errorf("admin.token_file: %s %w", a.TokenFile, err)
	}
	return t, nil
}
