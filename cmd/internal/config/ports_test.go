package config_test

import (
	"testing"

	"ftpalg/cmd/internal/config"
)

func TestPortRangeIncludesBothEnds(t *testing.T) {
	r := config.PortRange{First: 100, Last: 109}
	if r.Size() != 10 || (config.PortRange{}).Size() != 0 {
		t.Errorf("sizes are %d and %d, want 10 and 0", r.Size(), config.PortRange{}.Size())
	}
	for port, want := range map[uint16]bool{99: false, 100: true, 109: true, 110: false} {
		if got := r.Contains(port); got != want {
			t.Errorf("%s contains %d: %v", r, port, got)
		}
	}
	for o, want := range map[config.PortRange]bool{
		{First: 90, Last: 99}:   false,
		{First: 90, Last: 100}:  true,
		{First: 103, Last: 104}: true,
		{First: 90, Last: 120}:  true,
		{First: 109, Last: 120}: true,
		{First: 110, Last: 120}: false,
	} {
		if r.Overlaps(o) != want || o.Overlaps(r) != want {
			t.Errorf("%s overlaps %s: want %v from both sides", r, o, want)
		}
	}
}
