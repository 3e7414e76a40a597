package bench

import (
	"slices"
)

// figure names one row of the table in one column.
type figure struct{ row, column string }

// values returns what a figure was in each round; none if it was not
// measured.
func (r *report) values(f figure) []float64 {
	for _, p := range r.probes {
		for _, m := range p.measures {
			if m.name == f.row {
				return r.cells[place{p.name, f.column}].values(m)
			}
		}
	}
	return nil
}

func (c *cell) values(m measure) []float64 {
	if c == nil || c.failure != nil {
		return nil
	}
	var values []float64
	for _, o := range c.outcomes {
		if v := m.of(o); v > 0 {
			values = append(values, v)
		}
	}
	return values
}

// quotients divides a figure by another, round by round: what disturbed the
// machine in a round disturbed both.
func quotients(values, by []float64) []float64 {
	var all []float64
	for i := range min(len(values), len(by)) {
		all = append(all, values[i]/by[i])
	}
	return all
}

// median returns the middle value, the lower one of two; ok is false if there
// is none.
func median(values []float64) (middle float64, ok bool) {
	if len(values) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2], true
}
