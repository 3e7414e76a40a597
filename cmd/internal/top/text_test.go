package top

import (
	"slices"
	"testing"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"short", 10, []string{"short"}},
		{"", 10, []string{""}},
		{"  one two three four", 12, []string{"  one two", "      three", "      four"}},
		{"xxxxxxxxxxxxxxxxxxxx", 8, []string{"xxxxxxxx", "    xxxx", "    xxxx", "    xxxx"}},
		{"any", 0, []string{"any"}},
	} {
		if got := wrap(c.text, c.width); !slices.Equal(got, c.want) {
			t.Errorf("%q at %d is %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestCurve(t *testing.T) {
	if got := curve([]float64{0, 50, 100}); got != "▁▅█" {
		t.Errorf("the curve is %s", got)
	}
	if got := curve([]float64{0, 0}); got != "▁▁" {
		t.Errorf("without data the curve is %s", got)
	}
}
