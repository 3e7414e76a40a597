package iptables

import (
	"context"
	"errors"
	"ftpalg/alg/expect"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
	"sync/atomic"
	"time"
)

const (
	// queueLength bounds the promises that wait for a worker; further
	// callers of Open wait for room.
	queueLength = 256
	// batchLength bounds the promises of one transaction.
	batchLength = 64
)

// worker owns one family: all calls on its kernel come from its goroutine,
// one after the other, so that none waits for a lock that another holds.
type worker struct {
	family  rule.Family
	kernel  kernel
	options Options
	ledger  *ledger

	// absent says for each table that this machine lacks why. It is
	// written by the first task and only read after that.
	absent map[string]error
	// plan belongs to the goroutine.
	plan plan

	// What Health tells: when the kernel last agreed, and with how many
	// rules; the comparisons, and the pinholes whose rules were deleted.
	verified                  atomic.Value // of a time.Time
	installed                 atomic.Int64
	reconciled, opened, swept report.Counter

	queue chan *request
	tasks chan task
	quit  chan struct{}
	done  chan struct{}
}

// request is a promise that waits to be opened.
type request struct {
	expect.Expectation
	rules  []line
	result chan error // has room for the answer: nobody may be waiting
}

// task is a piece of work that its caller waits for.
type task struct {
	ctx    context.Context
	work   func(context.Context) error
	result chan error
}

func newWorker(f rule.Family, k kernel, o Options) *worker {
	return &worker{
		family: f, kernel: k, options: o, ledger: newLedger(),
		queue: make(chan *request, queueLength), tasks: make(chan task),
		quit: make(chan struct{}), done: make(chan struct{}),
	}
}

// runWorker is the worker's goroutine. It ends when quit is closed.
func (w *worker) runWorker() {
	defer close(w.done)
	check := time.NewTicker(w.options.CheckEvery)
	defer check.Stop()
	sweep := time.NewTicker(w.options.SweepEvery)
	defer sweep.Stop()
	ctx := context.Background() // every call is bounded by toolTimeout
	for {
		due := sweep.C
		if !w.ledger.busy() {
			due = nil
		}
		select {
		case <-w.quit:
			return
		case t := <-w.tasks:
			t.result <- t.work(t.ctx)
		case r := <-w.queue:
			w.openAll(ctx, w.gather(r))
		case <-due:
			w.sweepEnded(ctx)
		case <-check.C:
			w.checkAndReport(ctx)
		}
	}
}

// doTask has the worker do something and waits for it.
func (w *worker) doTask(ctx context.Context, work func(context.Context) error) error {
	t := task{ctx, work, make(chan error, 1)}
	select {
	case w.tasks <- t:
		return <-t.result
	case <-ctx.Done():
		return ctx.Err()
	case <-w.done:
		return report.ErrStopped
	}
}

// openPinhole opens a pinhole and waits until the kernel has confirmed it.
func (w *worker) openPinhole(ctx context.Context, e expect.Expectation) error {
	err := w.openRules(ctx, e, w.rulesFor(e))
	w.opened.Count(1, err)
	return err
}

// rulesFor returns the rules of a pinhole.
func (w *worker) rulesFor(e expect.Expectation) []line {
	return linesOf(rule.Pinhole(e, w.options.PinholeMark, w.kernel.Local(e.Target.Addr())))
}

func (w *worker) openRules(ctx context.Context, e expect.Expectation, rules []line) error {
	select {
	case <-w.done:
		return report.ErrStopped
	default:
	}
	for _, r := range rules {
		if err := w.absent[r.table]; err != nil {
			return err
		}
	}
	if err := w.ledger.addPinhole(e, rules); err != nil {
		return err
	}
	r := &request{e, rules, make(chan error, 1)}
	select {
	case w.queue <- r:
	case <-ctx.Done():
		w.ledger.forgetPinholes(e.ID)
		return ctx.Err()
	case <-w.done:
		return report.ErrStopped
	}
	select {
	case err := <-r.result:
		return err
	case <-ctx.Done():
		w.ledger.closePinhole(e.ID)
		return ctx.Err()
	case <-w.done:
		return report.ErrStopped
	}
}

// adoptPinholes enters those of its family of which a predecessor left the
// rules in the kernel. It is called before runWorker.
func (w *worker) adoptPinholes(list []report.Pinhole) {
	for _, p := range list {
		if w.family.Has(p.From) && p.State != report.Closing {
			w.ledger.adoptPinhole(p, w.rulesFor(p.Expectation))
		}
	}
}

// halt ends the goroutine, and leaves in the kernel what is there.
func (w *worker) halt() {
	close(w.quit)
	<-w.done
}

// gather returns a request and those that wait behind it.
func (w *worker) gather(first *request) []*request {
	batch := []*request{first}
	for len(batch) < batchLength {
		select {
		case r := <-w.queue:
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// openAll opens a batch. Two promises of the same way may not share a
// transaction: the later one replaces the earlier.
func (w *worker) openAll(ctx context.Context, batch []*request) {
	for len(batch) > 0 {
		n := distinctKeys(batch)
		w.openBatch(ctx, batch[:n])
		batch = batch[n:]
	}
}

// openBatch opens a batch in one transaction. If the kernel refuses it, what was
// left of it is taken back, what made it fail is mended where it was ours,
// and each promise is tried alone, so that a bad one harms no other.
func (w *worker) openBatch(ctx context.Context, batch []*request) {
	batch = w.stillWanted(batch)
	if len(batch) == 0 {
		return
	}
	err := w.installBatch(ctx, batch)
	if err != nil {
		w.repairAfterFailure(ctx)
	}
	if err == nil || isPermanent(err) {
		w.answerBatch(batch, err)
		return
	}
	for i := range batch {
		one := batch[i : i+1]
		err := w.installBatch(ctx, one)
		if err != nil {
			w.repairAfterFailure(ctx)
		}
		w.answerBatch(one, err)
	}
}

// isPermanent reports whether a second try would fail like the first.
func isPermanent(err error) bool {
	return errors.Is(err, report.ErrBusy) || errors.Is(err, report.ErrNotPermitted) || errors.Is(err, context.DeadlineExceeded)
}

func (w *worker) answerBatch(batch []*request, err error) {
	for _, r := range batch {
		if err != nil {
			w.ledger.forgetPinholes(r.ID)
		}
		r.result <- err
	}
}

// stillWanted drops the promises that ended while they waited.
func (w *worker) stillWanted(batch []*request) []*request {
	var wanted []*request
	for _, r := range batch {
		if w.ledger.stillWanted(r.ID, time.Now()) {
			wanted = append(wanted, r)
		} else {
			r.result <- report.ErrEnded
		}
	}
	return wanted
}

// installBatch adds the rules of a batch in one transaction, which also removes
// those of older promises of the same way: they would be met first.
func (w *worker) installBatch(ctx context.Context, batch []*request) error {
	var t transaction
	ways := map[expect.Key]bool{}
	for _, r := range batch {
		ways[r.Key()] = true
		t.adds = append(t.adds, r.rules...)
	}
	rivals := w.ledger.installedWhere(func(e *entry) bool { return ways[e.Key()] })
	for _, e := range rivals {
		t.deletes = append(t.deletes, e.rules...)
	}
	if err := w.kernel.Restore(ctx, t); err != nil {
		return err
	}
	for _, r := range batch {
		w.ledger.markInstalled(r.ID)
	}
	w.ledger.forgetPinholes(ids(rivals)...)
	return nil
}
