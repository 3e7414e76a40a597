package page

import (
	"sync"
	"time"
)

// The chart covers five minutes.
const (
	step  = 2 * time.Second
	steps = 150
)

// Traffic is the throughput of the last minutes, oldest first, one value for
// each step.
type Traffic struct {
	// Step is the width of a value, in seconds.
	Step float64 `json:"step"`
	// Bytes and Transfers are rates a second.
	Bytes     []float64 `json:"bytes"`
	Transfers []float64 `json:"transfers"`
}

// Meter keeps the throughput of the last minutes in a ring. Data connections
// report what they carried; nothing runs in between. Its methods are safe for
// concurrent use.
type Meter struct {
	began time.Time
	mu    sync.Mutex
	ring  [steps + 1]bucket // with the step that is not over yet
}

// bucket is what one step carried; number tells it from the step that had
// its place in the ring before.
type bucket struct {
	number           int64
	bytes, transfers float64
}

// NewMeter returns a Meter that begins now.
func NewMeter() *Meter { return &Meter{began: time.Now()} }

// Carry counts bytes that a data connection carried evenly between two
// moments.
func (m *Meter) Carry(from, to time.Time, bytes uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	begin, end := max(0, from.Sub(m.began)), max(0, to.Sub(m.began))
	last := m.at(int64(end / step))
	if end <= begin {
		last.bytes += float64(bytes)
		return
	}
	rate := float64(bytes) / float64(end-begin)
	oldest := max(0, int64(end/step)-steps)
	for n := max(oldest, int64(begin/step)); n <= int64(end/step); n++ {
		first, past := max(begin, time.Duration(n)*step), min(end, time.Duration(n+1)*step)
		m.at(n).bytes += rate * float64(past-first)
	}
}

// Finish counts a transfer that ended at that moment.
func (m *Meter) Finish(at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at(int64(max(0, at.Sub(m.began))/step)).transfers++
}

// at returns the bucket of step n, emptied if it held an older one. What
// belongs to a step that has left the ring goes nowhere.
func (m *Meter) at(n int64) *bucket {
	b := &m.ring[n%int64(len(m.ring))]
	switch {
	case b.number > n:
		return new(bucket)
	case b.number < n:
		*b = bucket{number: n}
	}
	return b
}

// Traffic returns the rates of the steps that were over at that moment.
func (m *Meter) Traffic(at time.Time) Traffic {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := Traffic{Step: step.Seconds(), Bytes: make([]float64, steps), Transfers: make([]float64, steps)}
	now := int64(max(0, at.Sub(m.began)) / step)
	for i := range steps {
		n := now - steps + int64(i)
		if n < 0 {
			continue
		}
		if b := m.ring[n%int64(len(m.ring))]; b.number == n {
			t.Bytes[i], t.Transfers[i] = b.bytes/step.Seconds(), b.transfers/step.Seconds()
		}
	}
	return t
}
