package config

import "testing"

func TestNearestIsTheKeyThatWasMeant(t *testing.T) {
	known := []string{"local", "public", "except", "ports", "passive_ports"}
	for _, c := range []struct{ text, want string }{
		{"pubic", "public"},
		{"Public", "public"},
		{"publci", "public"},
		{"port", "ports"},
		{"passivePorts", "passive_ports"},
		{"speed", ""},
		{"", ""},
		{"publicpublicpublic", ""},
	} {
		if got := nearest(c.text, known); got != c.want {
			t.Errorf("nearest(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

func TestDistanceCountsEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "abc", 0}, {"abc", "", 3}, {"", "abc", 3},
		{"abc", "acb", 1}, {"abc", "ab", 1}, {"abc", "xabc", 1}, {"abc", "axc", 1}, {"kitten", "sitting", 3},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
