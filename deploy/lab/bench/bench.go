package bench

import (
	"context"
	"fmt"
	"time"
)

// cell is what was measured of one probe on one subject: the outcomes of the
// rounds, or why there are none.
type cell struct {
	outcomes []outcome
	// missing says why the subject cannot be measured here; failure is the
	// error that a round ended with.
	missing string
	failure error
}

// report is a whole run.
type report struct {
	subjects []subject
	probes   []probe
	cells    map[place]*cell
}

// place is where a cell stands in the table.
type place struct{ probe, subject string }

// runner measures cell after cell.
type runner struct {
	ctx      context.Context
	settings settings
	report   *report
	// tell is told of each cell that is done.
	tell func(format string, args ...any)
}

// newReport picks what the settings ask for.
func newReport(s settings, columns []subject) *report {
	r := &report{cells: map[place]*cell{}}
	for _, c := range columns {
		if s.columns.MatchString(c.name) {
			r.subjects = append(r.subjects, c)
		}
	}
	for _, p := range probes(s.cell) {
		if s.rows.MatchString(p.name) && !(s.quick && p.large) {
			r.probes = append(r.probes, p)
		}
	}
	return r
}

// at returns a cell, which may be empty.
func (r *report) at(p probe, s subject) *cell {
	key := place{p.name, s.name}
	if r.cells[key] == nil {
		r.cells[key] = &cell{}
	}
	return r.cells[key]
}

// run measures everything: one probe after the other, in each round one
// subject after the other. Every round begins with another subject, so that
// none always follows the same one.
func (r *runner) run() {
	r.excuse()
	n := len(r.report.subjects)
	for _, p := range r.report.probes {
		for round := range r.settings.rounds {
			for i := range n {
				s := r.report.subjects[(round+i)%n]
				r.measure(p, s, r.report.at(p, s))
			}
		}
	}
}

// excuse finds the cells that cannot be measured.
func (r *runner) excuse() {
	for _, s := range r.report.subjects {
		absent := s.absent(r.ctx)
		for _, p := range r.report.probes {
			if p.job.TLS != s.ftps {
				continue
			}
			if absent != nil {
				r.report.at(p, s).missing = absent.Error()
			} else {
				r.report.at(p, s).missing = s.lacks(p.job)
			}
		}
	}
}

// cellTimeout bounds one cell, beyond the time that its clients work.
const cellTimeout = 2 * time.Minute

// measure measures a cell once. After a failure the cell is left alone.
func (r *runner) measure(p probe, s subject, c *cell) {
	if p.job.TLS != s.ftps || c.missing != "" || c.failure != nil || r.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, p.job.Duration+cellTimeout)
	defer cancel()
	begun := time.Now()
	o, err := once(ctx, p, s)
	if err != nil {
		c.failure = err
		r.tell("%s, %s: %v", p.name, s.name, err)
		return
	}
	c.outcomes = append(c.outcomes, o)
	m := p.measures[0]
	r.tell("%-28s %-18s %10.0f %s, %d failed %s (%.1f s)", p.name, s.name, m.of(o), m.unit, o.Failed, o.FirstError, time.Since(begun).Seconds())
}

func once(ctx context.Context, p probe, s subject) (o outcome, err error) {
	st, err := newStand(ctx, p, s)
	if err != nil {
		return o, err
	}
	defer func() {
		if closed := st.close(); err == nil && closed != nil {
			err = fmt.Errorf("after %s: %w", p.name, closed)
		}
	}()
	return st.run(p.job)
}
