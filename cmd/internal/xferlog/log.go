package xferlog

import (
	"os"
	"sync/atomic"
)

// waiting bounds the lines that wait for the disk; more are lost.
const waiting = 1024

// Log is the transfer log. Whoever writes to it never waits for the disk: one
// goroutine of the Log's own does. Its methods are safe for concurrent use.
type Log struct {
	open   func(path string) (*os.File, error)
	report func(error)
	orders chan order
	lost   atomic.Uint64 // lines that found no room
	quit   chan struct{}
	done   chan struct{}
}

// order is one line to write, or, without one, a file to change to.
type order struct {
	line []byte
	path string
}

// New returns a Log that writes nowhere yet. Open opens a file, as OpenFile
// does. Report is told when lines begin
// to be lost, with the reason, and with nil when they are written again. It is
// called from the Log's goroutine.
func New(open func(path string) (*os.File, error), report func(error)) *Log {
	l := &Log{open: open, report: report, orders: make(chan order, waiting), quit: make(chan struct{}), done: make(chan struct{})}
	go l.run()
	return l
}

// Open has the lines from now on written to the file at path; "" means nowhere. With the same path
// again, the file is opened anew, after it was renamed for example.
func (l *Log) Open(path string) {
	select {
	case l.orders <- order{path: path}:
	case <-l.done:
	}
}

// Write has one line written, or lost if too many wait.
func (l *Log) Write(t Transfer) {
	select {
	case l.orders <- order{line: t.line()}:
	default:
		l.lost.Add(1)
	}
}

// Close writes what waits, and ends the Log. It may be called once.
func (l *Log) Close() {
	close(l.quit)
	<-l.done
}

// run obeys one order after the other.
func (l *Log) run() {
	defer close(l.done)
	f := file{opens: l.open, report: l.report}
	defer f.close()
	for {
		select {
		case o := <-l.orders:
			f.obey(o, l.lost.Swap(0))
		case <-l.quit:
			for len(l.orders) > 0 {
				f.obey(<-l.orders, l.lost.Swap(0))
			}
			return
		}
	}
}
