package page

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

func TestMeterSpreadsWhatAConnectionCarried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMeter()
		begin := time.Now()
		time.Sleep(4 * step)
		m.Carry(begin.Add(step/2), begin.Add(5*step/2), 4000)
		got := m.Traffic(time.Now()).Bytes[steps-4:]
		for i, want := range []float64{500, 1000, 500, 0} {
			if math.Abs(got[i]-want) > 1e-6 {
				t.Errorf("step %d carried %v bytes a second, want %v", i, got[i], want)
			}
		}
	})
}

func TestMeterCounts(t *testing.T) {
	for _, c := range []struct {
		name             string
		count            func(m *Meter, now time.Time)
		bytes, transfers float64 // in all
	}{
		{"nothing", func(*Meter, time.Time) {}, 0, 0},
		{"a moment", func(m *Meter, now time.Time) { m.Carry(now, now, 10) }, 10, 0},
		{"an end before the beginning", func(m *Meter, now time.Time) { m.Carry(now.Add(time.Hour), now, 10) }, 10, 0},
		{"ends", func(m *Meter, now time.Time) { m.Finish(now); m.Finish(now.Add(-step)) }, 0, 2},
		{"half of it in the window", func(m *Meter, now time.Time) { m.Carry(now.Add(-2*steps*step), now, 10) }, 5, 0},
		{"before the window", func(m *Meter, now time.Time) {
			m.Carry(now, now, 0)
			m.Carry(now.Add(-3*steps*step), now.Add(-2*steps*step), 10)
			m.Finish(now.Add(-2 * steps * step))
		}, 0, 0},
		{"before the meter", func(m *Meter, now time.Time) {
			m.Carry(now.Add(-time.Hour), now.Add(-time.Hour), 10)
			m.Finish(time.Time{})
		}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := NewMeter()
				time.Sleep(4 * steps * step)
				c.count(m, time.Now())
				time.Sleep(step)
				got := m.Traffic(time.Now())
				if len(got.Bytes) != steps || len(got.Transfers) != steps {
					t.Fatalf("%d and %d values", len(got.Bytes), len(got.Transfers))
				}
				// The step that is not over and one of the window's ends may differ.
				if b := sum(got.Bytes) * got.Step; math.Abs(b-c.bytes) > 10./steps {
					t.Errorf("%v bytes, want %v", b, c.bytes)
				}
				if n := sum(got.Transfers) * got.Step; n != c.transfers {
					t.Errorf("%v transfers, want %v", n, c.transfers)
				}
			})
		})
	}
}

func TestMeterForgetsWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMeter()
		m.Carry(time.Now(), time.Now(), 10)
		m.Finish(time.Now())
		for _, c := range []struct {
			after time.Duration
			want  float64
		}{{step, 10}, {(steps - 1) * step, 10}, {step, 0}, {10 * steps * step, 0}} {
			time.Sleep(c.after)
			if got := m.Traffic(time.Now()); sum(got.Bytes)*got.Step != c.want {
				t.Errorf("%v later it tells of %v bytes, want %v", c.after, sum(got.Bytes)*got.Step, c.want)
			}
		}
	})
}
