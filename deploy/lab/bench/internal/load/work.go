package load

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// bufferLength is how much a client reads at once, in bytes.
const bufferLength = 1 << 20

// loginsAtOnce is how many idle sessions log in at the same time.
const loginsAtOnce = 64

// Do does a job. It ends with an error if the idle sessions cannot be had or
// a session cannot even begin; failures after that are counted.
func Do(job Job) (Result, error) {
	idle, err := stayIdle(job)
	if err != nil {
		return Result{}, fmt.Errorf("idle session: %w", err)
	}
	result := Result{Idle: len(idle)}
	if job.Task == Wait {
		return result, nil
	}
	workers := make([]worker, job.Sessions)
	for i := range workers {
		if err := workers[i].prepare(job); err != nil {
			return Result{}, err
		}
	}
	var all sync.WaitGroup
	begun := time.Now()
	for i := range workers {
		all.Go(func() { workers[i].run(begun.Add(job.Duration)) })
	}
	all.Wait()
	result.Elapsed = time.Since(begun)
	result.collect(workers)
	return result, nil
}

// stayIdle logs in the idle sessions, which remain to the process's end.
func stayIdle(job Job) ([]*client, error) {
	idle := make([]*client, job.Idle)
	var next atomic.Int64
	var all sync.WaitGroup
	failed := make(chan error, loginsAtOnce)
	for range loginsAtOnce {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(idle)); i = next.Add(1) - 1 {
				var err error
				if idle[i], err = begin(&job, job.Promised); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	return idle, <-failed
}

// begin logs in, and with promised asks for a data connection.
func begin(job *Job, promised bool) (*client, error) {
	c, err := login(job, nil)
	if err != nil || !promised {
		return c, err
	}
	if _, err := c.announce(PASV); err != nil {
		return nil, closing(c.control, err)
	}
	return c, nil
}

// worker repeats a task in one session. A session that failed is replaced by
// a new one, since its lines may be out of step.
type worker struct {
	job    Job
	client *client
	buffer []byte
	times  []time.Duration
	bytes  int64
	failed int
	first  error
}

func (w *worker) prepare(job Job) (err error) {
	w.job = job
	w.buffer = make([]byte, bufferLength)
	if job.Task != Login {
		w.client, err = login(&w.job, w.buffer)
	}
	return err
}

func (w *worker) run(until time.Time) {
	for {
		begun := time.Now()
		err := w.once()
		now := time.Now()
		if err == nil {
			w.times = append(w.times, now.Sub(begun))
		} else {
			w.fail(err)
		}
		if !now.Before(until) {
			return
		}
	}
}

func (w *worker) once() error {
	if w.client == nil {
		c, err := login(&w.job, w.buffer)
		if err != nil {
			return err
		}
		if w.job.Task == Login {
			return c.quit()
		}
		w.client = c
	}
	return w.task()
}

func (w *worker) task() (err error) {
	switch w.job.Task {
	case Transfer:
		var n int64
		n, err = w.client.transfer()
		w.bytes += n
	case Announce:
		_, err = w.client.announce(w.job.Mode)
	default:
		_, err = w.client.command('2', "NOOP")
	}
	return err
}

func (w *worker) fail(err error) {
	w.failed++
	if w.first == nil {
		w.first = err
	}
	if w.client != nil {
		_ = w.client.control.Close() // given up already
		w.client = nil
	}
}

// collect adds up what the workers did.
func (r *Result) collect(workers []worker) {
	var times []time.Duration
	for _, w := range workers {
		times = append(times, w.times...)
		r.Bytes += w.bytes
		r.Failed += w.failed
		if w.first != nil && r.FirstError == "" {
			r.FirstError = w.first.Error()
		}
	}
	slices.Sort(times)
	r.Done = len(times)
	r.P50, r.P99 = quantile(times, 50), quantile(times, 99)
}

// quantile returns the time that percent of the sorted times do not exceed.
func quantile(times []time.Duration, percent int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return times[(len(times)-1)*percent/100]
}
