package report

import "sync/atomic"

// Tally counts attempts by how they ended.
type Tally struct{ Done, Failed uint64 }

func (t Tally) Plus(o Tally) Tally { return Tally{t.Done + o.Done, t.Failed + o.Failed} }

// Counter is a Tally that grows.
type Counter struct{ done, failed atomic.Uint64 }

// Count counts n attempts that ended with err.
func (t *Counter) Count(n int, err error) {
	if err != nil {
		t.failed.Add(uint64(n))
	} else {
		t.done.Add(uint64(n))
	}
}

func (t *Counter) Read() Tally { return Tally{t.done.Load(), t.failed.Load()} }
