package iptables

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"ftpalg/alg/expect"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

var errFault = errors.New("injected fault")

// fake is a kernel in memory that fails as the real one does: unknown chain,
// rule that is not there, chain that is there already, a table that changed
// while a later one of the same transaction did not.
type fake struct {
	mu     sync.Mutex
	chains map[chain][]line
	route  bool
	absent map[string]error
	// here are the addresses that are local, came the connections.
	here map[netip.Addr]bool
	came map[expect.Key]bool

	calls int
	// fault is asked before each call; an error makes it fail.
	fault func(call int, op string) error
	// poison refuses every rule that holds the word.
	poison string
}

func newFake() *fake {
	f := &fake{chains: map[chain][]line{}}
	for _, c := range chainsFor([]line{{table: tableMangle}}) {
		f.chains[chain{c.table, c.jump().chain}] = []line{{c.table, c.jump().chain, []string{"-j", "FOREIGN"}}}
	}
	return f
}

func (f *fake) call(op string) error {
	f.calls++
	if f.fault == nil {
		return nil
	}
	return f.fault(f.calls, op)
}

func (f *fake) HasTable(table string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("list"); err != nil {
		return err
	}
	return f.absent[table]
}

func (f *fake) Save(context.Context) (snapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("save"); err != nil {
		return snapshot{}, err
	}
	return f.snapshot(), nil
}

func (f *fake) snapshot() snapshot {
	var s snapshot
	for _, c := range slices.SortedFunc(maps.Keys(f.chains), func(a, b chain) int { return strings.Compare(a.String(), b.String()) }) {
		if owned(c.name) {
			s.chains = append(s.chains, c)
		}
		for _, r := range f.chains[c] {
			if owned(c.name) || owned(r.target()) {
				s.rules = append(s.rules, counted{r, 0})
			}
		}
	}
	return s
}

func (f *fake) Restore(_ context.Context, t transaction) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("restore"); err != nil {
		return err
	}
	for _, table := range tables() {
		part := t.of(table)
		if part.empty() {
			continue
		}
		if err := f.commit(part); err != nil {
			return err
		}
		if err := f.call("commit"); err != nil {
			return err
		}
	}
	return nil
}

// commit changes one table, wholly or not at all.
func (f *fake) commit(t transaction) error {
	next := maps.Clone(f.chains)
	for _, c := range t.chains {
		if _, there := next[c]; there {
			return fmt.Errorf("Chain already exists: %s", c)
		}
		next[c] = nil
	}
	for _, r := range t.deletes {
		i := slices.IndexFunc(next[r.in()], func(other line) bool { return slices.Equal(r.words, other.words) })
		if i < 0 {
			return fmt.Errorf("Bad rule (does a matching rule exist in that chain?): %s", r)
		}
		next[r.in()] = slices.Delete(slices.Clone(next[r.in()]), i, i+1)
	}
	for _, c := range t.drops {
		if _, there := next[c]; !there {
			return fmt.Errorf("No chain/target/match by that name: %s", c)
		}
		delete(next, c)
	}
	for _, r := range t.adds {
		if err := add(next, r, len(next[r.in()]), f.poison); err != nil {
			return err
		}
	}
	f.chains = next
	return nil
}

func add(chains map[chain][]line, r line, at int, poison string) error {
	old, there := chains[r.in()]
	if !there {
		return fmt.Errorf("No chain/target/match by that name: %s", r)
	}
	if poison != "" && slices.Contains(r.words, poison) {
		return fmt.Errorf("refused: %s", r)
	}
	chains[r.in()] = slices.Insert(slices.Clone(old), at, r)
	return nil
}

func (f *fake) Insert(r line) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("insert"); err != nil {
		return err
	}
	return add(f.chains, r, 0, f.poison)
}

func (f *fake) HasRoute() (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.route, f.call("has route")
}

func (f *fake) AddRoute() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("add route"); err != nil {
		return err
	}
	f.route = true
	return nil
}

func (f *fake) RemoveRoute() (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("remove route"); err != nil {
		return false, err
	}
	had := f.route
	f.route = false
	return had, nil
}

func (f *fake) RouteCommands() []string { return []string{"the policy route"} }

func (f *fake) Local(a netip.Addr) bool { return f.here[a] }

func (f *fake) Came() (map[expect.Key]bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.came, f.call("came")
}

// flush empties a chain of ours, as a foreigner would.
func (f *fake) flush(c chain) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.chains[c] = nil
}

// ours lists everything of ours that is in the kernel.
func (f *fake) ours() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	lines := f.snapshot().lines()
	if f.route {
		lines = append(lines, f.RouteCommands()...)
	}
	return lines
}

// about lists the rules of ours whose text holds a word.
func (f *fake) about(word string) []string {
	return slices.DeleteFunc(f.ours(), func(line string) bool { return !strings.Contains(line, word) })
}

// set changes how the fake fails.
func (f *fake) set(fault func(int, string) error, poison string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.poison = fault, poison
}

// filterOver returns a Filter over fakes.
func filterOver(o Options, v4, v6 *fake) *Filter {
	o.SweepEvery = cmp.Or(o.SweepEvery, sweepEvery)
	o.CheckEvery = cmp.Or(o.CheckEvery, checkEvery)
	if o.Observe == nil {
		o.Observe = func(report.Event) {}
	}
	o.Mark, o.PinholeMark = 0x2000000, 0x4000000
	return &Filter{options: o, workers: []*worker{newWorker(rule.IPv4, v4, o), newWorker(rule.IPv6, v6, o)}, missing: map[rule.Family]error{}}
}

const (
	sweepEvery = 200 * time.Millisecond
	checkEvery = 2 * time.Second
)
