package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// iptables is the tool that shows the rules of one address family.
type iptables struct {
	name string
	run  func(h *lab.Host, args ...string) (string, error)
}

// rule is a rule as `iptables -t TABLE -S` prints it.
type rule struct{ table, line string }

// watcher takes down the rules of a pinhole at the moment when its data
// connection is about to be opened, which the server's goroutine does in
// active mode.
type watcher struct {
	host     *lab.Host
	iptables iptables

	mu    sync.Mutex
	mode  ftp.Mode // of the expected data connection; empty if none is
	rules []rule
	err   error
}

// expect begins to watch for the next data connection.
func (w *watcher) expect(m ftp.Mode) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mode, w.rules, w.err = m, nil, nil
}

// look is called before a connection is opened.
func (w *watcher) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mode == "" {
		return
	}
	w.rules, w.err = pinholeRules(w.host, w.iptables, w.mode)
	w.mode = ""
}

// seen returns the rules that were open. None at all is an error.
func (w *watcher) seen() ([]rule, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && len(w.rules) == 0 {
		return nil, fmt.Errorf("no rule was open for it")
	}
	return w.rules, w.err
}

// pinholeRules lists the rules that are open for a mode, in the order in
// which a packet meets them.
func pinholeRules(h *lab.Host, tool iptables, m ftp.Mode) ([]rule, error) {
	var rules []rule
	for _, table := range []string{"nat", "filter"} {
		printed, err := tool.run(h, "-t", table, "-S")
		if err != nil {
			return nil, fmt.Errorf("list the rules: %w", err)
		}
		for line := range strings.Lines(printed) {
			if isPinhole(line, m) {
				rules = append(rules, rule{table, strings.TrimSpace(line)})
			}
		}
	}
	slices.SortStableFunc(rules, func(a, b rule) int { return a.hook() - b.hook() })
	return rules, nil
}

// pinholeTag begins the comment of a pinhole's rules: session, mode, number.
const pinholeTag = `--comment "ftpalg session `

func isPinhole(line string, m ftp.Mode) bool {
	_, comment, found := strings.Cut(line, pinholeTag)
	return found && strings.Contains(comment, " "+string(m)+" ")
}

// hook returns when a packet meets the rule (iptables(8)).
func (r rule) hook() int {
	return slices.IndexFunc([]string{"PREROUTING", "FORWARD", "POSTROUTING"}, func(hook string) bool {
		return strings.Contains(r.line, "-"+hook+" ")
	})
}
