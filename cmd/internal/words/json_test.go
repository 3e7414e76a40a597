package words

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
)

func TestJSONShowsWhatNoFontShows(t *testing.T) {
	for _, text := range []string{"", "plain", "café 日本 😀", "\x1b[2J\x07", "\x7f\u009b31m\u202e", "\U000e0041\ufeff", "a\nb\u2028", "\xff"} {
		var want, out bytes.Buffer
		if err := json.NewEncoder(&want).Encode(text); err != nil {
			t.Fatal(err)
		}
		if err := json.NewEncoder(JSON(&out)).Encode(text); err != nil {
			t.Fatal(err)
		}
		var was, is string
		if json.Unmarshal(want.Bytes(), &was) != nil || json.Unmarshal(out.Bytes(), &is) != nil || was != is {
			t.Errorf("%q became %s", text, out.Bytes())
		}
		if i := strings.IndexFunc(strings.TrimSuffix(out.String(), "\n"), func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q is written as %q", text, out.Bytes())
		}
	}
}

func TestJSONLeavesAloneWhatIsShown(t *testing.T) {
	const text = "{\n\t\"a\": \"café 日本 😀\"\r\n}"
	var out bytes.Buffer
	if n, err := JSON(&out).Write([]byte(text)); n != len(text) || err != nil || out.String() != text {
		t.Errorf("%q, %d, %v", out.String(), n, err)
	}
}
