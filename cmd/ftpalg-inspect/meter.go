package main

import (
	"fmt"
	"io"
	"time"

	"ftpalg/cmd/internal/cli"
)

// meter shows on stderr how much of a file has been read, where that takes
// longer than a moment.
type meter struct {
	in    io.Reader
	size  int64 // 0 if not known
	read  int64
	to    io.Writer
	live  bool // a terminal: the line is drawn over
	shown time.Time
	drawn bool
}

// meterEvery is the time between two lines; on anything but a terminal, where
// they stay, it is twice as long.
const meterEvery = time.Second

func newMeter(in io.Reader, size int64, to io.Writer) *meter {
	return &meter{in: in, size: size, to: to, live: cli.IsTerminal(to), shown: time.Now()}
}

// Read reads from the file and counts.
func (m *meter) Read(b []byte) (int, error) {
	n, err := m.in.Read(b)
	m.read += int64(n)
	return n, err
}

func (m *meter) show(frames uint64) {
	every := meterEvery
	if !m.live {
		every *= 2
	}
	if time.Since(m.shown) < every {
		return
	}
	m.shown = time.Now()
	line := fmt.Sprintf("%d packets, %d MB", frames, m.read>>20)
	if m.size > 0 {
		line += fmt.Sprintf(" of %d, %d%%", m.size>>20, m.read*100/m.size)
	}
	if m.live {
		fmt.Fprintf(m.to, "\r%s\x1b[K", line)
		m.drawn = true
		return
	}
	fmt.Fprintln(m.to, line)
}

// clear takes the line off the terminal.
func (m *meter) clear() {
	if m.drawn {
		fmt.Fprint(m.to, "\r\x1b[K")
		m.drawn = false
	}
}
