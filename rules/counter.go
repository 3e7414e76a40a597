package rules

import "sync/atomic"

// Tally counts attempts by how they ended.
type Tally struct{ Done, Failed uint64 }

func (t Tally) plus(o Tally) Tally { return Tally{t.Done + o.Done, t.Failed + o.Failed} }

// counter is a Tally that grows.
type counter struct{ done, failed atomic.Uint64 }

// count counts n attempts that ended with err.
func (t *counter) count(n int, err error) {
	if err != nil {
		t.failed.Add(uint64(n))
	} else {
		t.done.Add(uint64(n))
	}
}

func (t *counter) read() Tally { return Tally{t.done.Load(), t.failed.Load()} }
