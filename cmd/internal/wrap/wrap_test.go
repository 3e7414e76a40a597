package wrap

import "testing"

func TestText(t *testing.T) {
	tests := []struct {
		text          string
		column, width int
		want          string
	}{
		{"", 4, 20, ""},
		{"one  two\nthree", 4, 12, "one two\n    three"},
		{"exactly it", 2, 12, "exactly it"},
		{"é é é", 0, 3, "é é\né"},
		{"a longest-word-of-all b", 2, 8, "a\n  longest-word-of-all\n  b"},
	}
	for _, tt := range tests {
		if got := Text(tt.text, tt.column, tt.width); got != tt.want {
			t.Errorf("%q\nwant\n%q", got, tt.want)
		}
	}
}

func TestRule(t *testing.T) {
	const rule = `-t nat -A PREROUTING -p tcp -m comment --comment "session 1 PASV" -j ACCEPT`
	want := "-t nat -A PREROUTING\n  -p tcp -m comment\n  --comment \"session 1 PASV\"\n  -j ACCEPT"
	if got := Rule(rule, 2, 24); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
