package daemon

import "testing"

func TestSessionsAreTakenForWhichThereAreDescriptors(t *testing.T) {
	for _, c := range []struct {
		descriptors uint64
		relayed     bool
		want        int
	}{
		{24576, false, 12160},
		{1024, false, 384},
		{1024, true, 192},
		{64, false, 24},
		{0, true, 1},
	} {
		if got := roomFor(c.descriptors, c.relayed); got != c.want {
			t.Errorf("%d descriptors, relayed %v: %d sessions, want %d", c.descriptors, c.relayed, got, c.want)
		}
	}
}
