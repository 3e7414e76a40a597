package nat

import (
	"container/list"
	"time"
)

// RestingPort is a port that has been in quarantine since then.
type RestingPort struct {
	Port  uint16    `json:"port"`
	Since time.Time `json:"since"`
}

// Resting returns the ports in quarantine, the one that has rested longest
// first.
func (p *Pool) Resting() []RestingPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake()
	var out []RestingPort
	for e := p.resting.Front(); e != nil; e = e.Next() {
		r := e.Value.(resting)
		out = append(out, RestingPort{Port: r.port, Since: r.since})
	}
	return out
}

// Restore makes these ports leased and resting, and all others free.
func (p *Pool) Restore(leased []uint16, rest []RestingPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leased, p.resting = portSet{}, list.New()
	for i := range p.rested {
		p.rested[i] = ^uint64(0)
	}
	for _, port := range leased {
		p.rested.remove(port)
		p.leased.add(port)
	}
	for _, r := range rest {
		if !p.leased.has(r.Port) {
			p.rested.remove(r.Port)
			p.resting.PushBack(resting{r.Port, r.Since})
		}
	}
}
