package rules

import (
	"ftpalg/rules/expectation"
	"strings"
	"testing"
)

func TestAProbeLeavesNothing(t *testing.T) {
	onKernel(t)
	if err := expectation.Probe(t.Context(), DefaultExpectationMark, DefaultEventBuffer); err != nil {
		t.Error(err)
	}
	if text := listed(t); text != "" {
		t.Errorf("left:\n%s", text)
	}
}

func TestAutoTakesWhatTheProbeShows(t *testing.T) {
	onKernel(t)
	m := startManager(t, Options{Path: Auto}, Static{})
	if path, why := m.Path(); path != "conntrack" || !strings.Contains(why, "probe") {
		t.Errorf("path %s, because %s; want conntrack", path, why)
	}
	mustOpen(t, m, examplePromise(1))
	if text := sh(t, "conntrack -L expect 2>/dev/null"); !strings.Contains(text, "dport=50001") {
		t.Errorf("no expectation in %q", text)
	}
}
