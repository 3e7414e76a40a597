package top

import (
	"slices"
	"testing"
)

func TestKeysAreDecoded(t *testing.T) {
	for sent, want := range map[string][]Key{
		"q":               {'q'},
		"\x1b":            {Escape},
		"\x1b[A\x1b[B":    {Up, Down},
		"\x1bOA":          {Up},
		"\x1b[5~j":        {PageUp, 'j'},
		"\x1b[1;5C":       {Unknown},
		"\x1b[":           {Escape, '['},
		"\r\n\x7f\b\x03ä": {Enter, Enter, Backspace, Backspace, Interrupt, 'ä'},
		"\x1b[999":        {Unknown},
		"\xff":            {'�'},
	} {
		if got := decode([]byte(sent)); !slices.Equal(got, want) {
			t.Errorf("%q is %q, want %q", sent, got, want)
		}
	}
}

func TestOnlyAYesKills(t *testing.T) {
	for _, c := range []struct {
		keys   []Key
		want   Action
		target uint64
	}{
		{[]Key{'k', 'y'}, Kill, 1},
		{[]Key{Down, Down, 'k', 'y'}, Kill, 3},
		{[]Key{'b', 'k', 'y'}, Kill, 30},
		{[]Key{'b', Enter, 'k', 'y'}, Kill, 30},
		{[]Key{'k', 'n'}, Nothing, 1},
		{[]Key{'k', Enter}, Nothing, 1},
		{[]Key{'y'}, Nothing, 0},
		{[]Key{'/', 'k', 'y'}, Nothing, 0},
		{[]Key{'/', 'n', 'o', 'n', 'e', Enter, 'k', 'y'}, Nothing, 0},
		{[]Key{'/', 'q'}, Nothing, 0},
		{[]Key{'q'}, Quit, 0},
		{[]Key{'/', Interrupt}, Quit, 0},
		{[]Key{Enter}, Look, 1},
		{[]Key{Enter, Escape, Down, Enter}, Look, 2},
	} {
		m := pressed()
		var last Action
		for _, k := range c.keys {
			last = m.Press(k)
		}
		if last != c.want || m.Target() != c.target {
			t.Errorf("%q asks for %d of session %d, want %d of %d", c.keys, last, m.Target(), c.want, c.target)
		}
	}
}

func TestEveryColumnHasAKeyOfItsOwn(t *testing.T) {
	taken := []Key{'k', 'q', 'y', '/'}
	for _, c := range columns {
		if slices.Contains(taken, c.key()) {
			t.Errorf("%s: %c is taken", c.title, c.key())
		}
		taken = append(taken, c.key())
	}
}

func TestTheSameKeyTurnsTheOrder(t *testing.T) {
	m := pressed('i')
	if first := m.rows()[0].Session; first != 30 {
		t.Errorf("by idle time session %d comes first, want the idlest", first)
	}
	m.Press('i')
	if first := m.rows()[0].Session; first != 1 {
		t.Errorf("the other way round session %d comes first", first)
	}
}

func TestTheFilterIsTyped(t *testing.T) {
	m := pressed('/', '1', '1', '3', '.', '1', '2', 'x', Backspace, Enter)
	if rows := m.rows(); len(rows) != 1 || rows[0].Session != 12 {
		t.Errorf("filtered are %v", rows)
	}
	m.Press(Escape)
	if rows := m.rows(); len(rows) != 30 {
		t.Errorf("without a filter there are %d", len(rows))
	}
}

func TestTheDetailsAreScrolledToTheirEnd(t *testing.T) {
	m := pressed('b', Enter)
	all := m.details()
	for range len(all) {
		m.Press(Down)
	}
	screen := m.Render()
	if got, want := screen[len(screen)-2].String(), all[len(all)-1].String(); got != want {
		t.Errorf("at the end stands %q, want %q", got, want)
	}
	m.Press(Up)
	screen = m.Render()
	if got, want := screen[len(screen)-2].String(), all[len(all)-2].String(); got != want {
		t.Errorf("one line up stands %q, want %q", got, want)
	}
}
