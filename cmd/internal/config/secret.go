package config

import "fmt"

// Secret is a text that is never printed: every way of formatting it yields
// hidden.
type Secret struct{ text string }

// hidden stands for a secret where it is printed. It is no acceptable secret
// itself, so that a printed configuration cannot open a door with it.
const hidden = "(hidden)"

// Reveal returns the text itself.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether there is no text.
func (s Secret) IsZero() bool { return s.text == "" }

// String returns a stand-in for the text.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return hidden
}

// Format writes String, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }
