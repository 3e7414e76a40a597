package top

import (
	"ftpalg/cmd/internal/api"
	"unicode/utf8"
)

// Key is one key: its character, or one of the constants.
type Key rune

// The keys that are no printable character.
const (
	Up Key = -1 - iota
	Down
	PageUp
	PageDown
	Home
	End
	Left
	Unknown
	Escape    Key = 0x1b
	Enter     Key = '\r'
	Backspace Key = 0x7f
	Interrupt Key = 0x03 // Ctrl-C
)

// sequences are what terminals send for the named keys (ECMA-48, xterm's
// ctlseqs).
var sequences = map[string]Key{
	"[A": Up, "[B": Down, "OA": Up, "OB": Down, "[D": Left, "OD": Left,
	"[5~": PageUp, "[6~": PageDown,
	"[H": Home, "[F": End, "OH": Home, "OF": End, "[1~": Home, "[4~": End,
}

// decode takes the keys out of what a terminal sent at once.
func decode(b []byte) (keys []Key) {
	for len(b) > 0 {
		k, n := first(b)
		keys = append(keys, k)
		b = b[n:]
	}
	return keys
}

func first(b []byte) (Key, int) {
	if b[0] == byte(Escape) && len(b) > 2 && (b[1] == '[' || b[1] == 'O') {
		n := 2
		for n < len(b)-1 && (b[n] < '@' || b[n] > '~') {
			n++
		}
		if k, ok := sequences[string(b[1:n+1])]; ok {
			return k, n + 1
		}
		return Unknown, n + 1
	}
	switch b[0] {
	case '\n':
		return Enter, 1
	case '\b':
		return Backspace, 1
	}
	r, n := utf8.DecodeRune(b)
	return Key(r), n
}

// Action is what a key asks for beyond the screen.
type Action uint8

// The actions.
const (
	Nothing Action = iota
	Quit
	Kill // the session that Model.Target names
	Look // at the gateway again, at once
)

// Target returns the session that a Kill is meant for.
func (m *Model) Target() uint64 { return m.chosen }

// Press takes one key.
func (m *Model) Press(k Key) Action {
	m.outcome = ""
	switch {
	case k == Interrupt:
		return Quit
	case m.mode == typing:
		m.typed(k)
	case m.mode == asking:
		m.mode = m.back
		if k == 'y' {
			return Kill
		}
	case k == 'q':
		return Quit
	case k == 'k':
		m.ask()
	case m.mode == showing:
		m.leaf(k)
	default:
		return m.list(k)
	}
	return Nothing
}

func (m *Model) typed(k Key) {
	switch {
	case k == Enter:
		m.mode = listing
	case k == Escape:
		m.mode, m.filter = listing, ""
	case k == Backspace:
		runes := []rune(m.filter)
		m.filter = string(runes[:max(len(runes)-1, 0)])
	case k >= ' ' && length(m.filter) < longestFilter:
		m.filter += string(rune(k))
	}
}

// longestFilter bounds the filter, in characters.
const longestFilter = 40

// ask begins the question whether to kill the chosen session.
func (m *Model) ask() {
	rows := m.rows()
	if m.mode == listing && len(rows) > 0 {
		m.chosen = rows[m.position(rows)].Session
	}
	if m.open(m.chosen) != nil {
		m.back, m.mode = m.mode, asking
	}
}

// leaf moves in the details.
func (m *Model) leaf(k Key) {
	lowest := m.lowest(len(m.details()))
	page := max(m.room()-1, 1)
	steps := map[Key]int{Up: -1, Down: 1, PageUp: -page, PageDown: page, ' ': page, Home: -lowest, End: lowest}
	switch k {
	case Escape, Enter, Left, Backspace:
		m.mode = listing
	default:
		m.scroll = min(max(m.scroll+steps[k], 0), lowest)
	}
}

// list moves in the table, sorts it, or opens something.
func (m *Model) list(k Key) Action {
	rows := m.rows()
	switch k {
	case '/':
		m.mode = typing
	case Escape:
		m.filter = ""
	case Enter:
		if len(rows) > 0 {
			m.chosen, m.mode, m.scroll = rows[m.position(rows)].Session, showing, 0
			return Look
		}
	case Up, Down, PageUp, PageDown, Home, End:
		m.move(k, rows)
	default:
		m.sort(k)
	}
	return Nothing
}

func (m *Model) move(k Key, rows []api.Session) {
	page := max(m.room()-1, 1) // the head takes one
	steps := map[Key]int{Up: -1, Down: 1, PageUp: -page, PageDown: page, Home: -len(rows), End: len(rows)}
	if len(rows) > 0 {
		m.chosen = rows[min(max(m.position(rows)+steps[k], 0), len(rows)-1)].Session
	}
}

// sort sorts by the column of a key, the other way round if that is the order
// already. Of measures the largest come first.
func (m *Model) sort(k Key) {
	for i, c := range columns {
		if c.key() != k {
			continue
		}
		if i == m.order {
			m.reverse = !m.reverse
		} else {
			m.order, m.reverse = i, c.right && i > 0
		}
		return
	}
}
