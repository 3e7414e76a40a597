package daemon

import (
	"sync"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/expect"
	"ftpalg/cmd/internal/page"
)

// meter tells the status page's throughput from what the kernel says of each
// data connection.
type meter struct {
	*page.Meter
	mu      sync.Mutex
	carried map[expect.ID]reading // of the connections that go on
}

// reading is what a connection had carried at a moment, in bytes.
type reading struct {
	at    time.Time
	bytes uint64
}

func newMeter() *meter {
	return &meter{Meter: page.NewMeter(), carried: make(map[expect.ID]reading)}
}

// connected begins to count a connection.
func (m *meter) connected(id expect.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.carried[id] = reading{at: time.Now()}
}

// read counts what a connection has carried since the last reading.
func (m *meter) read(id expect.ID, bytes uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last, ok := m.carried[id]
	if !ok || bytes < last.bytes {
		return
	}
	now := reading{time.Now(), bytes}
	m.Carry(last.at, now.at, now.bytes-last.bytes)
	m.carried[id] = now
}

// ended stops counting a connection.
func (m *meter) ended(id expect.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.carried, id)
}

// observer returns what tells the meter of transfers, and of what is relayed.
func (m *meter) observer() alg.Observer {
	return alg.Observer{
		TransferEnded: func(alg.Transfer) { m.Finish(time.Now()) },
		Relayed:       m.relayed,
	}
}

func (m *meter) relayed(r alg.Relayed) {
	carried := r.Sent + r.Received
	if carried == 0 && r.State == alg.DataConnected {
		m.connected(r.Pinhole)
		return
	}
	m.read(r.Pinhole, carried)
	if r.State == alg.DataClosed {
		m.ended(r.Pinhole)
	}
}
