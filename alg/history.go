package alg

import (
	"encoding/binary"
	"log/slog"
	"slices"
	"sync"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
	"ftpalg/alg/wire"
)

// Side says who said a line.
type Side string

// The sides.
const (
	FromClient  Side = "client"
	FromServer  Side = "server"
	FromGateway Side = "gateway" // its own answers, to the client
)

// Line is one line of a session's recent dialogue.
type Line struct {
	At   time.Time `json:"at"`
	From Side      `json:"from"`
	// Text is the line without its terminator, cut at 255 bytes, passwords
	// starred.
	Text string `json:"text"`
	// Told is what the other side got instead, and Pinhole what was
	// opened for it.
	Told    string    `json:"told,omitempty"`
	Pinhole expect.ID `json:"pinhole,omitempty"`
	// Refused says why the other side got nothing.
	Refused string `json:"refused,omitempty"`
}

// history is the recent dialogue of a session. It holds whole lines one
// behind the other in bytes, for it is kept for every session: a few hundred
// bytes after a login, historySize at most.
type history struct {
	began time.Time
	log   *slog.Logger // takes the lines as they come, at LevelTrace
	mu    sync.Mutex
	held  []byte
}

// Room of a history, in bytes: at the beginning, and at most.
const (
	historyStart = 256
	historySize  = 2048
	// longestText is the most of one text that is kept.
	longestText = 255
)

// A record is this head, the pinhole in eight bytes if there is a told text,
// and the three texts.
const (
	recordAt      = 0 // milliseconds since the session began, four bytes
	recordFrom    = 4
	recordText    = 5 // lengths of the three texts
	recordTold    = 6
	recordRefused = 7
	recordHead    = 8
	recordPinhole = 8
)

var sides = [...]Side{FromClient, FromServer, FromGateway}

// starred stands for a password of any length.
const starred = "****"

// command notes a line of the client that has passed or was refused.
func (h *history) command(line wire.Line, v dialogue.Verdict) {
	text := line.Text()
	if s := v.Secret; s.End > s.Start {
		hidden := append(make([]byte, 0, longestText), text[:min(s.Start, len(text), longestText)]...)
		h.record(FromClient, append(hidden, starred...), nil, 0, string(v.Reason))
		return
	}
	h.record(FromClient, text, nil, 0, string(v.Reason))
}

// reply notes a line of the server, and why it was refused if so. The rest of
// one that comes in pieces is left out.
func (h *history) reply(line wire.Line, refused dialogue.Reason) {
	if line.Begins {
		h.record(FromServer, line.Text(), nil, 0, string(refused))
	}
}

// announced notes a line that was sent on as told.
func (h *history) announced(from Side, line wire.Line, told []byte, id expect.ID) {
	h.record(from, line.Text(), wire.Line{Bytes: told}.Text(), id, "")
}

// notOpened notes an announcement whose data connection could not be opened.
func (h *history) notOpened(from Side, line wire.Line, why Cause) {
	h.record(from, line.Text(), nil, 0, string(why))
}

// answer notes the gateway's own replies, one or more lines.
func (h *history) answer(b []byte) {
	for len(b) > 0 {
		var l []byte
		l, b = cutLine(b)
		h.record(FromGateway, wire.Line{Bytes: l}.Text(), nil, 0, "")
	}
}

// cutLine returns the first line of b with its terminator, and the rest.
func cutLine(b []byte) (line, rest []byte) {
	n := slices.Index(b, '\n') + 1
	if n == 0 {
		n = len(b)
	}
	return b[:n], b[n:]
}

func (h *history) record(from Side, text, told []byte, id expect.ID, refused string) {
	h.trace(from, text, told, refused)
	text, told = text[:min(len(text), longestText)], told[:min(len(told), longestText)]
	var head [recordHead + recordPinhole]byte
	binary.BigEndian.PutUint32(head[recordAt:], uint32(min(time.Since(h.began).Milliseconds(), 1<<32-1)))
	head[recordFrom] = byte(slices.Index(sides[:], from))
	head[recordText], head[recordTold], head[recordRefused] = byte(len(text)), byte(len(told)), byte(len(refused))
	n := recordHead
	if len(told) > 0 {
		binary.BigEndian.PutUint64(head[recordHead:], uint64(id))
		n += recordPinhole
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.makeRoom(n + len(text) + len(told) + len(refused))
	h.held = append(append(append(append(h.held, head[:n]...), text...), told...), refused...)
}

// makeRoom makes room for n bytes: it grows, or forgets the oldest lines.
// Then it forgets some more, not to move the rest each time.
func (h *history) makeRoom(n int) {
	need := len(h.held) + n
	if need <= cap(h.held) {
		return
	}
	if room := max(2*cap(h.held), historyStart); room <= historySize {
		h.held = append(make([]byte, 0, room), h.held...)
		h.makeRoom(n)
		return
	}
	const more = historySize / 4
	gone := 0
	for gone < len(h.held) && len(h.held)-gone > historySize-n-more {
		gone += recordLength(h.held[gone:])
	}
	h.held = h.held[:copy(h.held, h.held[gone:])]
}

func recordLength(b []byte) int {
	n := recordHead + int(b[recordText]) + int(b[recordTold]) + int(b[recordRefused])
	if b[recordTold] > 0 {
		n += recordPinhole
	}
	return n
}

// lines returns what is held, oldest first.
func (h *history) lines() []Line {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := []Line{}
	for b := h.held; len(b) > 0; b = b[recordLength(b):] {
		out = append(out, h.line(b))
	}
	return out
}

// line reads the record at the front of b.
func (h *history) line(b []byte) Line {
	l := Line{
		At:   h.began.Add(time.Duration(binary.BigEndian.Uint32(b[recordAt:])) * time.Millisecond),
		From: sides[b[recordFrom]],
	}
	texts := b[recordHead:]
	if b[recordTold] > 0 {
		l.Pinhole = expect.ID(binary.BigEndian.Uint64(texts))
		texts = texts[recordPinhole:]
	}
	take := func(n byte) string {
		s := string(texts[:n])
		texts = texts[n:]
		return s
	}
	l.Text, l.Told, l.Refused = take(b[recordText]), take(b[recordTold]), take(b[recordRefused])
	return l
}
