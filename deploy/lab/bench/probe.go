package bench

import (
	"fmt"
	"time"

	"ftpalg/deploy/lab/bench/internal/load"
)

// probe is what the clients do in one cell, and what is read off it.
type probe struct {
	name string
	job  load.Job
	// large probes are left out of a quick run.
	large bool
	// pinned probes measure delays one at a time. All programs share a
	// processor: else the delays would be twice as long whenever the scheduler
	// happens to part them.
	pinned   bool
	measures []measure
}

// measure is one figure of a probe: a row of the table.
type measure struct {
	name, unit string
	// kind says how to read it.
	kind kind
	of   func(outcome) float64
}

// kind is how a figure compares.
type kind uint8

const (
	rate   kind = iota // more is better
	delay              // less is better
	memory             // less is better; only a process has it
)

// outcome is everything that was observed in one cell.
type outcome struct {
	load.Result
	resident int64 // of the gateway's processes, in bytes; 0 if it has none
}

// probes are the rows of the table, in order.
func probes(cell time.Duration) []probe {
	var all []probe
	for _, mode := range []load.Mode{load.PASV, load.EPSV, load.PORT} {
		for _, sessions := range []int{1, 8, 64} {
			all = append(all, transfers(mode, sessions, cell))
		}
	}
	return append(all,
		noop(1, cell), noop(8, cell), logins(8, cell), download(cell),
		opening(0, cell), opening(1000, cell), opening(4000, cell),
		idle(1000, cell), idle(9000, cell),
		secure(transfers(load.PASV, 8, cell)), secure(download(cell)), secure(idle(1000, cell)),
	)
}

// Lengths of files, in bytes.
const small, large = 1 << 10, 1 << 30

// secure is a probe whose clients speak TLS.
func secure(p probe) probe {
	const says = "FTPS, "
	p.name, p.job.TLS = says+p.name, true
	for i := range p.measures {
		p.measures[i].name = says + p.measures[i].name
	}
	return p
}

func transfers(mode load.Mode, sessions int, cell time.Duration) probe {
	name := fmt.Sprintf("1 KB %s, %s", mode, count(sessions))
	return probe{
		name:     name,
		job:      load.Job{Task: load.Transfer, Mode: mode, Size: small, Sessions: sessions, Duration: cell},
		measures: []measure{{name, "transfers/s", rate, outcome.Rate}},
	}
}

func noop(sessions int, cell time.Duration) probe {
	name := "NOOP, " + count(sessions)
	return probe{
		name:     name,
		pinned:   sessions == 1,
		job:      load.Job{Task: load.NOOP, Sessions: sessions, Duration: cell},
		measures: percentiles(name),
	}
}

func logins(sessions int, cell time.Duration) probe {
	name := fmt.Sprintf("logins, %d at a time", sessions)
	return probe{
		name:     name,
		job:      load.Job{Task: load.Login, Sessions: sessions, Duration: cell},
		measures: []measure{{name, "logins/s", rate, outcome.Rate}},
	}
}

// download repeats its transfer, since one alone is over in moments.
func download(cell time.Duration) probe {
	const name = "1 GB PASV"
	return probe{
		name: name,
		job:  load.Job{Task: load.Transfer, Mode: load.PASV, Size: large, Sessions: 1, Duration: cell},
		measures: []measure{{name, "MB/s", rate, func(o outcome) float64 {
			return float64(o.Bytes) / o.Elapsed.Seconds() / 1e6
		}}},
	}
}

// opening measures PASV and its reply while other sessions hold what they
// were promised.
func opening(others int, cell time.Duration) probe {
	name := fmt.Sprintf("PASV, %d others open", others)
	return probe{
		name:     name,
		job:      load.Job{Task: load.Announce, Mode: load.PASV, Sessions: 1, Duration: cell, Idle: others, Promised: true},
		large:    others > 1000,
		pinned:   true,
		measures: percentiles(name),
	}
}

// idle measures what sessions cost that do nothing, and a NOOP beside them.
func idle(sessions int, cell time.Duration) probe {
	name := fmt.Sprintf("%d idle sessions", sessions)
	return probe{
		name:   name,
		job:    load.Job{Task: load.NOOP, Sessions: 1, Duration: cell, Idle: sessions},
		large:  sessions > 1000,
		pinned: true,
		measures: append(percentiles("NOOP beside "+name), measure{"memory at " + name, "MB", memory, func(o outcome) float64 {
			return float64(o.resident) / (1 << 20)
		}}),
	}
}

func percentiles(name string) []measure {
	micro := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
	return []measure{
		{name + ", p50", "µs", delay, func(o outcome) float64 { return micro(o.P50) }},
		{name + ", p99", "µs", delay, func(o outcome) float64 { return micro(o.P99) }},
	}
}

func count(sessions int) string {
	if sessions == 1 {
		return "1 session"
	}
	return fmt.Sprintf("%d sessions", sessions)
}
