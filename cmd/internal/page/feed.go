package page

import (
	"errors"
	"sync"
	"time"
)

// Every is the time between two snapshots.
const Every = time.Second

// mostViewers bounds those who look at one time.
const mostViewers = 16

var (
	errFull   = errors.New("too many viewers look at this gateway already")
	errClosed = errors.New("the gateway is stopping")
)

// feed takes snapshots for all viewers together, as long as there are any.
type feed struct {
	source Source
	// newcomer has room for one word that somebody has come.
	newcomer chan struct{}
	closed   chan struct{}
	loop     sync.WaitGroup

	mu      sync.Mutex
	ended   bool
	running bool
	viewers map[*viewer]bool
}

// viewer is one who looks.
type viewer struct {
	view view
	// frames holds the newest frame that was not taken yet; one that comes
	// while the last still waits replaces it.
	frames chan []byte
	// served is the snapshot that was last put there; only the loop uses it.
	served *Snapshot
}

func newFeed(source Source) *feed {
	return &feed{
		source: source, newcomer: make(chan struct{}, 1), closed: make(chan struct{}),
		viewers: make(map[*viewer]bool),
	}
}

// join adds a viewer; leave must be called with it.
func (f *feed) join(v view) (*viewer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.ended:
		return nil, errClosed
	case len(f.viewers) >= mostViewers:
		return nil, errFull
	}
	one := &viewer{view: v, frames: make(chan []byte, 1)}
	f.viewers[one] = true
	if !f.running {
		f.running = true
		f.loop.Go(f.run)
		return one, nil
	}
	select {
	case f.newcomer <- struct{}{}:
	default: // the loop has not yet looked since the last
	}
	return one, nil
}

func (f *feed) leave(v *viewer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.viewers, v)
}

// close ends the feed; it gives no more frames.
func (f *feed) close() {
	f.mu.Lock()
	if !f.ended {
		f.ended = true
		close(f.closed)
	}
	f.mu.Unlock()
	f.loop.Wait()
}

// run takes a snapshot in every Every. It ends only between two of them, so
// that one who leaves and comes again cannot make it take more.
func (f *feed) run() {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for f.goOn() {
		now := f.source.Snapshot()
		f.serve(&now)
		for waiting := true; waiting; {
			select {
			case <-f.newcomer:
				f.serve(&now)
			case <-tick.C:
				waiting = false
			case <-f.closed:
				return
			}
		}
	}
}

// goOn reports whether anybody looks; if not, the loop counts as ended.
func (f *feed) goOn() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = len(f.viewers) > 0
	return f.running
}

// serve gives the snapshot to the viewers that have not had it. Equal views
// are encoded once.
func (f *feed) serve(s *Snapshot) {
	encoded := make(map[view][]byte)
	for _, v := range f.without(s) {
		text, ok := encoded[v.view]
		if !ok {
			var err error
			if text, err = encode(s, v.view); err != nil {
				continue // a number that JSON cannot say: the next snapshot may do without
			}
			encoded[v.view] = text
		}
		select {
		case <-v.frames: // too slow for this one
		default:
		}
		v.frames <- text
		v.served = s
	}
}

// without returns the viewers that have not had the snapshot.
func (f *feed) without(s *Snapshot) (out []*viewer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for v := range f.viewers {
		if v.served != s {
			out = append(out, v)
		}
	}
	return out
}
