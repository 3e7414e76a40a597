package guard

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
)

// token is what is asked for, as its digest: two of the same length are
// compared, in the same time wherever they differ.
type token struct{ digest [sha256.Size]byte }

func newToken(text string) *token { return &token{sha256.Sum256([]byte(text))} }

func (t *token) is(text string) bool {
	given := sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare(t.digest[:], given[:]) == 1
}

// outcome is what became of a try.
type outcome int

const (
	right outcome = iota
	wrong
	// barred is a try that was not looked at, after too many wrong ones.
	barred
)

// try compares text with the token, unless r's sender has been wrong too
// often.
func (g *Guard) try(r *http.Request, text string) outcome {
	from := sender(r)
	switch {
	case g.attempts.barred(from):
		return barred
	case g.token.is(text):
		return right
	}
	g.attempts.failed(from)
	return wrong
}
