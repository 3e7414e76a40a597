package nat

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const rest = 30 * time.Second

func take(t *testing.T, p *Pool, r Range) uint16 {
	t.Helper()
	port, err := p.Take(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestALeasedPortIsNeverLeasedAgainNorOutsideOfItsRange(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	p := NewPool(0)
	ranges := []Range{{50000, 50063}, {50040, 50200}, {50190, 50190}, {1, 65535}}
	even := func(port uint16) bool { return port%2 == 0 }
	leased := make(map[uint16]bool)
	var order []uint16
	for range 5000 {
		if len(order) > 0 && random.IntN(2) == 0 {
			i := random.IntN(len(order))
			p.Release(order[i])
			delete(leased, order[i])
			order = slices.Delete(order, i, i+1)
			continue
		}
		r, usable := ranges[random.IntN(len(ranges))], even
		if random.IntN(2) == 0 {
			usable = nil
		}
		port, err := p.Take(r, usable)
		if err != nil {
			for q := int(r.Low); q <= int(r.High); q++ {
				if port := uint16(q); !leased[port] && (usable == nil || usable(port)) {
					t.Fatalf("%v, but %d is free", err, port)
				}
			}
			continue
		}
		if leased[port] || !r.Contains(port) || usable != nil && !usable(port) {
			t.Fatalf("took %d from %s: leased before %v, usable %v", port, r, leased[port], usable == nil || usable(port))
		}
		leased[port] = true
		order = append(order, port)
	}
}

func TestARangeIsExhaustedOnlyWhenEveryPortIsLeased(t *testing.T) {
	p := NewPool(rest)
	r := Range{50000, 50009}
	for range r.Size() {
		take(t, p, r)
	}
	_, err := p.Take(r, nil)
	if want := "no data port is free in 50000-50009"; !errors.Is(err, ErrExhausted) || err.Error() != want {
		t.Fatalf("got error  %v\nwant %s", err, want)
	}
	p.Release(50004)
	if got := take(t, p, r); got != 50004 {
		t.Errorf("took %d, want the one that was released", got)
	}
	if _, err := p.Take(Range{}, nil); !errors.Is(err, ErrExhausted) {
		t.Errorf("took from an empty range: %v", err)
	}
	if _, err := p.Take(Range{50100, 50199}, func(uint16) bool { return false }); !errors.Is(err, ErrExhausted) {
		t.Errorf("took what is not usable: %v", err)
	}
}

// Pearson's chi-square. For 99 degrees of freedom it exceeds 200 with a
// probability below 1e-7.
func TestPortsComeUniformlyAtRandom(t *testing.T) {
	tests := []struct {
		name   string
		r      Range
		usable func(uint16) bool
	}{
		{"whole range", Range{50000, 50099}, nil},
		{"leased ones at its beginning", Range{49990, 50099}, nil},
		{"few are usable", Range{49000, 51000}, Range{50000, 50099}.Contains},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := NewPool(0)
			for port := range uint16(10) { // 49990-49999 are not to be had
				if got, err := p.Take(Range{49990 + port, 49990 + port}, nil); err != nil {
					t.Fatalf("took %d, %v", got, err)
				}
			}
			const ports, each = 100, 100
			var seen [ports]int
			for range ports * each {
				port, err := p.Take(tt.r, tt.usable)
				if err != nil {
					t.Fatal(err)
				}
				seen[port-50000]++
				p.Release(port)
			}
			var chi float64
			for _, n := range seen {
				chi += float64((n-each)*(n-each)) / each
			}
			if chi > 200 {
				t.Errorf("chi-square %.1f over %v", chi, seen)
			}
		})
	}
}

func TestAPortRestsAfterUse(t *testing.T) {
	p := NewPool(rest)
	r := Range{50000, 50063}
	first := take(t, p, r)
	p.Release(first)
	for range r.Size() - 1 {
		if got := take(t, p, r); got == first {
			t.Fatalf("took %d, which rests, while others are rested", got)
		}
	}
	if got := take(t, p, r); got != first {
		t.Errorf("took %d, want %d, which is left", got, first)
	}
}

func TestTheLongestRestedGoesFirstWhenNoneIsRested(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(rest)
		r := Range{50000, 50063}
		var released []uint16
		for range r.Size() {
			released = append(released, take(t, p, r))
		}
		other := take(t, p, Range{51000, 51000})
		p.Release(other) // rests longer than all, in another range
		for _, port := range released {
			time.Sleep(time.Millisecond)
			p.Release(port)
		}
		last := released[len(released)-1]
		if got, err := p.Take(r, func(port uint16) bool { return port == last }); err != nil || got != last {
			t.Fatalf("took %d, %v; want the only usable, %d", got, err, last)
		}
		for i, want := range released[:len(released)-1] {
			if got := take(t, p, r); got != want {
				t.Fatalf("number %d was %d, want %d", i, got, want)
			}
		}
	})
}

func TestLevel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(rest)
		r := Range{50000, 50009}
		expect := func(want Level) {
			t.Helper()
			if got := p.Level(r); got != want {
				t.Errorf("level %+v, want %+v", got, want)
			}
		}
		expect(Level{Total: 10, Free: 10})
		a, b := take(t, p, r), take(t, p, r)
		take(t, p, Range{51000, 51000})
		expect(Level{Total: 10, Free: 8, Leased: 2})
		p.Release(a)
		time.Sleep(rest / 2)
		p.Release(b)
		p.Release(b) // twice is nothing
		p.Release(50999)
		expect(Level{Total: 10, Free: 8, Resting: 2})
		time.Sleep(rest/2 - time.Nanosecond)
		expect(Level{Total: 10, Free: 8, Resting: 2})
		time.Sleep(time.Nanosecond)
		expect(Level{Total: 10, Free: 9, Resting: 1})
		time.Sleep(rest / 2)
		expect(Level{Total: 10, Free: 10})
		r = Range{}
		expect(Level{})
	})
}

func TestManyTakeAtOnce(t *testing.T) {
	p := NewPool(time.Microsecond)
	r := Range{50000, 50031}
	var owners [1 << 16]atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 2000 {
				port, err := p.Take(r, nil)
				if err != nil {
					t.Error(err)
					return
				}
				if owners[port].Add(1) != 1 {
					t.Errorf("port %d is leased twice", port)
				}
				owners[port].Add(-1)
				p.Release(port)
				p.Level(r)
			}
		})
	}
	all.Wait()
	if l := p.Level(r); l.Leased != 0 {
		t.Errorf("level %+v after all were released", l)
	}
}

func BenchmarkTake(b *testing.B) {
	wide := Range{1024, 65535}
	b.Run("rested", func(b *testing.B) {
		p := NewPool(0)
		for b.Loop() {
			port, _ := p.Take(wide, nil)
			p.Release(port)
		}
	})
	b.Run("all rest", func(b *testing.B) {
		p := NewPool(time.Hour)
		for port := range p.rested.within(wide) {
			p.rested.remove(port)
			p.leased.add(port)
			p.Release(port)
		}
		for b.Loop() {
			port, _ := p.Take(wide, nil)
			p.Release(port)
		}
	})
}
