package capture

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// A stream with too many lines that are neither commands nor replies is given
// up, so that it is no longer held.
func TestAGuessGivesUpAfterTooManyOddLines(t *testing.T) {
	g := &guess{}
	g.command([]byte("NOOP\r\n"))
	for i := range maxOdd {
		g.reply([]byte(fmt.Sprintf("text %d\r\n", i)))
	}
	if g.dead {
		t.Fatalf("given up after %d odd lines", maxOdd)
	}
	g.reply([]byte("one more\r\n"))
	if !g.dead {
		t.Errorf("not given up after %d odd lines", maxOdd+1)
	}
}

// A datagram in more fragments than anybody sends is not put together.
func TestADatagramKeepsABoundedNumberOfFragments(t *testing.T) {
	host := netip.MustParseAddr("192.0.2.1")
	for _, test := range []struct {
		parts int
		whole bool
	}{{maxParts, true}, {maxParts + 1, false}} {
		var s fragments
		key := datagram{}
		key.src, key.dst = host, host
		var got []byte
		for i := range test.parts {
			got = s.add(fragment{key: key, offset: 8 * i, more: i < test.parts-1, data: make([]byte, 8)}, time.Unix(0, 0))
		}
		if (got != nil) != test.whole || !test.whole && s.bytes > 8*maxParts {
			t.Errorf("%d fragments: %d bytes came out, %d are held", test.parts, len(got), s.bytes)
		}
	}
}
