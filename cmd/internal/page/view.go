package page

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"ftpalg/cmd/internal/api"
)

// mostRows bounds the rows of each table that are sent to a viewer; a browser
// stays quick, and a gateway of ten thousand sessions sends what one of two
// hundred does.
const mostRows = 200

// longestQuery bounds what is searched for, in bytes.
const longestQuery = 200

// view is what one viewer wants to see of a snapshot. It is comparable:
// viewers of equal views share one encoding.
type view struct {
	// query holds words, in lower case, each of which a row must contain.
	query              string
	sessions, pinholes order
}

// order is the order of a table.
type order struct {
	column     string
	descending bool
}

// parseView reads a view from the parameters of a request: q, and the columns
// by which sessions and pinholes are sorted, with "-" before one that
// descends.
func parseView(v url.Values) (view, error) {
	query := strings.Join(strings.Fields(strings.ToLower(v.Get("q"))), " ")
	if len(query) > longestQuery {
		return view{}, fmt.Errorf("q is longer than %d bytes", longestQuery)
	}
	w := view{query: query, sessions: parseOrder(v, "sessions", "-session"), pinholes: parseOrder(v, "pinholes", "expires")}
	if sessionColumns[w.sessions.column] == nil || pinholeColumns[w.pinholes.column] == nil {
		return view{}, errors.New("no such column to sort by")
	}
	return w, nil
}

func parseOrder(v url.Values, table, usual string) order {
	column, descending := strings.CutPrefix(cmp.Or(v.Get(table), usual), "-")
	return order{column, descending}
}

// sessionColumns compares sessions by each column of their table.
var sessionColumns = map[string]func(a, b *api.Session) int{
	"session":      func(a, b *api.Session) int { return cmp.Compare(a.Session, b.Session) },
	"listener":     func(a, b *api.Session) int { return cmp.Compare(a.Listener, b.Listener) },
	"client":       func(a, b *api.Session) int { return a.Client.Compare(b.Client) },
	"server":       func(a, b *api.Session) int { return a.Server.Compare(b.Server) },
	"state":        func(a, b *api.Session) int { return cmp.Compare(a.State, b.State) },
	"idle":         func(a, b *api.Session) int { return cmp.Compare(a.Idle, b.Idle) },
	"transferring": func(a, b *api.Session) int { return compareBools(a.Transferring, b.Transferring) },
	"bytes":        func(a, b *api.Session) int { return cmp.Compare(a.FromClient+a.FromServer, b.FromClient+b.FromServer) },
}

// pinholeColumns compares pinholes by each column of their table.
var pinholeColumns = map[string]func(a, b *api.Pinhole) int{
	"session": func(a, b *api.Pinhole) int { return cmp.Compare(a.Session, b.Session) },
	"mode":    func(a, b *api.Pinhole) int { return cmp.Compare(a.Mode, b.Mode) },
	"from":    func(a, b *api.Pinhole) int { return a.From.Compare(b.From) },
	"to":      func(a, b *api.Pinhole) int { return a.Reached.Compare(b.Reached) },
	"target":  func(a, b *api.Pinhole) int { return a.Target.Compare(b.Target) },
	"state":   func(a, b *api.Pinhole) int { return cmp.Compare(a.State, b.State) },
	"expires": func(a, b *api.Pinhole) int { return a.Expires.Compare(b.Expires) },
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// table is the part of a table that is sent.
type table[T any] struct {
	Rows []*T `json:"rows"`
	// Matched is how many rows the query found, Total how many there are.
	Matched int `json:"matched"`
	Total   int `json:"total"`
}

// pick returns the rows whose text holds every word of the query, in order,
// at most mostRows of them.
func pick[T any](rows []T, query string, text func(*T) string, o order, columns map[string]func(a, b *T) int) table[T] {
	found := make([]*T, 0, len(rows))
	words := strings.Fields(query)
	for i := range rows {
		if len(words) == 0 || holds(strings.ToLower(text(&rows[i])), words) {
			found = append(found, &rows[i])
		}
	}
	compare := columns[o.column]
	slices.SortStableFunc(found, func(a, b *T) int {
		if o.descending {
			return compare(b, a)
		}
		return compare(a, b)
	})
	return table[T]{Rows: found[:min(len(found), mostRows)], Matched: len(found), Total: len(rows)}
}

func holds(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// sessionText is what a search for a session looks at: the row as it is shown.
func sessionText(s *api.Session) string {
	more := ""
	if s.Transferring {
		more = "transfer in progress"
	}
	if s.Transfer != nil && s.Transfer.Relayed {
		more += ", relayed"
	}
	if s.TLS != nil {
		more += " " + s.TLS.Version
	}
	if s.ServerTLS != nil {
		more += " " + s.ServerTLS.Version + " with the server"
	}
	return fmt.Sprintf("#%d %s %s %s %s %s", s.Session, s.Listener, s.Client, s.Server, s.State, more)
}

// pinholeText is what a search for a pinhole looks at.
func pinholeText(p *api.Pinhole) string {
	return fmt.Sprintf("#%d %s %s %s %s %s", p.Session, p.Mode, p.From, p.Reached, p.Target, p.State)
}
