package nat

import (
	"container/list"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// ErrExhausted says that every port of a range is leased.
var ErrExhausted = errors.New("no data port is free")

// Pool leases data ports. One Pool serves all listeners, both directions and
// both address families, so a port number is leased once at a time, whatever
// range it was taken from. A released port rests in quarantine, so that late
// segments of its last data connection do not meet the next. Ports come at
// random, from a generator whose next number cannot be told from the last
// (RFC 6056 section 3.3.1). A Pool is made with NewPool; its methods are safe
// for concurrent use.
type Pool struct {
	rest time.Duration

	mu      sync.Mutex
	leased  portSet
	rested  portSet    // neither leased nor resting
	resting *list.List // of resting, the one that has rested longest in front
}

// resting is a port in quarantine.
type resting struct {
	port  uint16
	since time.Time
}

// NewPool returns a Pool in which all ports are free and rested. A released
// port rests for the time rest; 0 means not at all.
func NewPool(rest time.Duration) *Pool {
	p := &Pool{rest: rest, resting: list.New()}
	for i := range p.rested {
		p.rested[i] = ^uint64(0)
	}
	return p
}

// Take leases a port of r that usable accepts (nil: any): one of the rested,
// each as likely as the other, or, if none is left, the one that has rested
// longest. The error is ErrExhausted if there is none. The range may be
// another at each call. usable must not use the Pool.
func (p *Pool) Take(r Range, usable func(port uint16) bool) (uint16, error) {
	if usable == nil {
		usable = func(uint16) bool { return true }
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake()
	port, ok := p.draw(r, usable)
	if !ok {
		port, ok = p.disturb(r, usable)
	}
	if !ok {
		return 0, fmt.Errorf("%w in %s", ErrExhausted, r)
	}
	p.rested.remove(port)
	p.leased.add(port)
	return port, nil
}

// wake ends the rest of those that have rested long enough. The caller holds
// mu.
func (p *Pool) wake() {
	for e := p.resting.Front(); e != nil; e = p.resting.Front() {
		if time.Since(e.Value.(resting).since) < p.rest {
			return
		}
		p.rested.add(p.resting.Remove(e).(resting).port)
	}
}

// draw chooses at random among the rested ports. The caller holds mu.
func (p *Pool) draw(r Range, usable func(uint16) bool) (uint16, bool) {
	n := p.rested.count(r)
	if n == 0 {
		return 0, false
	}
	const draws = 8 // before every port is asked for
	for range draws {
		if port := p.rested.nth(r, rand.IntN(n)); usable(port) {
			return port, true
		}
	}
	var few []uint16
	for port := range p.rested.within(r) {
		if usable(port) {
			few = append(few, port)
		}
	}
	if len(few) == 0 {
		return 0, false
	}
	return few[rand.IntN(len(few))], true
}

// disturb takes the port that has rested longest out of its rest. The caller
// holds mu.
func (p *Pool) disturb(r Range, usable func(uint16) bool) (uint16, bool) {
	for e := p.resting.Front(); e != nil; e = e.Next() {
		if port := e.Value.(resting).port; r.Contains(port) && usable(port) {
			p.resting.Remove(e)
			return port, true
		}
	}
	return 0, false
}

// Release ends the lease of port, whose rest begins. It is nothing if port is
// not leased.
func (p *Pool) Release(port uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.leased.has(port) {
		return
	}
	p.leased.remove(port)
	p.resting.PushBack(resting{port, time.Now()})
}

// Level is how far a range is used, in ports. Total is the sum of the others.
type Level struct {
	Total   int `json:"total"`
	Free    int `json:"free"`
	Leased  int `json:"leased"`
	Resting int `json:"resting"`
}

// Level returns how far r is used. Free ports have rested.
func (p *Pool) Level(r Range) Level {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake()
	l := Level{Total: r.Size(), Free: p.rested.count(r), Leased: p.leased.count(r)}
	l.Resting = l.Total - l.Free - l.Leased
	return l
}
