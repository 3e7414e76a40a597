package dialogue

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
)

// writtenDown returns d as it comes back from its snapshot in JSON.
func writtenDown(t *testing.T, d *Dialogue) *Dialogue {
	t.Helper()
	text, err := json.Marshal(d.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	var s Snapshot
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return Restore(d.policy, s)
}

// comparable returns d with one form for states that mean the same: where the
// queue begins in its array, and empty slices.
func comparable(d *Dialogue) Dialogue {
	c := *d
	c.pending = queue{items: slices.Clone(d.pending.items[d.pending.head:])}
	if len(c.pending.items) == 0 {
		c.pending.items = nil
	}
	c.group.held = append([]byte(nil), d.group.held...)
	return c
}

// TestSnapshotHoldsTheWholeState compares every field, so that a new one
// cannot be forgotten, and goes on with the restored dialogue.
func TestSnapshotHoldsTheWholeState(t *testing.T) {
	for seed := range uint64(300) {
		p := newDisorder(seed)
		check := func() {
			restored := writtenDown(t, p.d)
			if got, want := comparable(restored), comparable(p.d); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: restored\n%+v\nwant\n%+v\nafter %q", seed, got, want, p.log)
			}
			p.d = restored
		}
		for range 60 {
			switch p.r.IntN(12) {
			case 0, 1:
				p.client(p.anyCommand())
			case 2:
				p.client("PASV")
			case 3:
				p.client("EPSV ALL")
			case 4:
				p.client("USER j\xf6rg")
			case 5:
				p.client("RETR caf\xe9")
			case 6:
				p.server("227-first of (" + insideAddress + ",100,1)")
			case 7:
				p.server("200-first")
			case 8:
				p.server("230 in")
			case 9:
				p.client("PORT 1,2,3,4,5,6")
			default:
				p.server(p.anyReply())
			}
			check()
		}
		p.client("AUTH TLS")
		check()
		p.server("234 go on")
		check()
	}
}
