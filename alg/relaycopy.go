package alg

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// copy copies until the end of from. The chunks between two counts grow and
// shrink with the speed, so that the counts of a slow transfer are no later
// than those of a quick one.
func (r *relay) copy(from, to Conn, carried *atomic.Uint64) error {
	bulk := r.bulk(from)
	defer bulk.end()
	for size := int64(smallChunk); ; {
		began := time.Now()
		n, err := io.Copy(to, &io.LimitedReader{R: from, N: size})
		carried.Add(uint64(n))
		switch {
		case bulk.paused(err):
			r.table.relayed(r, DataConnected)
			continue
		case err != nil:
			return err
		case n < size:
			return streamEnd(from)
		}
		r.table.relayed(r, DataConnected)
		switch took := time.Since(began); {
		case took < chunkTime:
			if size == largeChunk {
				bulk.expectMore()
			}
			size = min(2*size, largeChunk)
		case took > 2*chunkTime:
			size = max(size/2, smallChunk)
		}
	}
}

// bulkPiece is how much of a quick stream should have come before it is read, in
// bytes: fewer wakeups leave more of the processor to the work itself.
const bulkPiece = 256 << 10

// bulk has a stream that is quick be read in large pieces, while it is.
type bulk struct {
	from Conn
	set  func(Conn, int) error // nil where that is not possible
	on   bool
}

func (r *relay) bulk(from Conn) *bulk { return &bulk{from: from, set: r.table.readLowWater} }

// expectMore says that the next chunk is likely to come as quickly. If it does not,
// paused has what is there be read.
func (b *bulk) expectMore() {
	if b.set == nil || !b.on && b.set(b.from, bulkPiece) != nil {
		return
	}
	b.on = true
	b.from.SetReadDeadline(time.Now().Add(chunkTime))
}

// paused reports whether err says no more than that the stream is not as quick any
// more.
func (b *bulk) paused(err error) bool {
	if !b.on || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	b.end()
	return true
}

func (b *bulk) end() {
	if b.on {
		b.on = false
		b.set(b.from, 1)
		b.from.SetReadDeadline(time.Time{})
	}
}
