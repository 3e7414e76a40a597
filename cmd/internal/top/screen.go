package top

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// Control sequences (ECMA-48; the private ones as in xterm's ctlseqs).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l" // other screen, no cursor, no wrapping
	leaveScreen = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
	goHome      = "\x1b[H"
	clearLine   = "\x1b[K"
	reset       = "\x1b[0m"
)

// looks are the SGR sequences of the styles.
var looks = [...]string{
	Normal: "", Strong: "\x1b[1m", Faint: "\x1b[2m", Head: "\x1b[7m", Chosen: "\x1b[30;46m",
	Good: "\x1b[32m", Warning: "\x1b[33m", Bad: "\x1b[1;31m",
}

// screen is a terminal that shows nothing but us.
type screen struct {
	tty    *os.File
	before *term.State
}

// openScreen takes the terminal over; close gives it back.
func openScreen() (*screen, error) {
	// A description of our own: what is set on it is not set on the shell's.
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("top needs a terminal, or --batch: %w", err)
	}
	s := &screen{tty: tty}
	err = s.control(func(fd int) (err error) {
		s.before, err = term.MakeRaw(fd)
		return err
	})
	if err == nil {
		_, err = tty.WriteString(enterScreen)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("take over the terminal: %w", err)
	}
	return s, nil
}

// control does something to the descriptor, which stays non-blocking so that
// close ends a read.
func (s *screen) control(do func(fd int) error) error {
	raw, err := s.tty.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
		return err
	}
	return failed
}

// close gives the terminal back as it was.
func (s *screen) close() {
	if s.before != nil {
		s.tty.WriteString(leaveScreen)
		s.control(func(fd int) error { return term.Restore(fd, s.before) })
	}
	s.tty.Close()
}

// size returns the screen's width and height in characters.
func (s *screen) size() (width, height int) {
	width, height = 80, 24
	s.control(func(fd int) error {
		w, h, err := term.GetSize(fd)
		if err == nil && w > 0 && h > 0 {
			width, height = w, h
		}
		return err
	})
	return width, height
}

// draw shows the model.
func (s *screen) draw(m *Model) error {
	m.Resize(s.size())
	lines := m.Render()
	var b strings.Builder
	b.WriteString(goHome)
	for i, l := range lines {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(clearLine) // first: in the last column it would take a character
		for _, span := range l {
			b.WriteString(looks[span.Style] + span.Text + reset)
		}
	}
	_, err := s.tty.WriteString(b.String())
	return err
}
