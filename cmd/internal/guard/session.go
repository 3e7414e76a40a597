package guard

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"
)

// A browser that has shown the token is known for sessionLasts, or until the
// gateway ends or mostSessions others have come.
const (
	sessionLasts = 12 * time.Hour
	mostSessions = 64
	cookieName   = "ftpalg"
)

// sessions are the browsers that have shown the token, each by a random word
// that says nothing of the token.
type sessions struct {
	mu      sync.Mutex
	expires map[string]time.Time
}

func newSessions() *sessions { return &sessions{expires: make(map[string]time.Time)} }

// begin returns the cookie of a new session. It is not marked Secure: the
// gateway itself speaks no TLS.
func (s *sessions) begin() *http.Cookie {
	word := rand.Text() // 130 bits
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.expires) >= mostSessions {
		s.dropOldest()
	}
	s.expires[word] = time.Now().Add(sessionLasts)
	return &http.Cookie{
		Name: cookieName, Value: word, Path: "/", MaxAge: int(sessionLasts.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}

func (s *sessions) dropOldest() {
	var oldest string
	for word, at := range s.expires {
		if oldest == "" || at.Before(s.expires[oldest]) {
			oldest = word
		}
	}
	delete(s.expires, oldest)
}

// knows reports whether r comes from a browser that has shown the token.
func (s *sessions) knows(r *http.Request) bool {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.expires[c.Value])
}
