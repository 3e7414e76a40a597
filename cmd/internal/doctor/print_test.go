package doctor

import (
	"bytes"
	"net/netip"
	"os"
	"testing"
)

// TestFindingsReadLikeThis compares with a golden; UPDATE_GOLDEN=1 writes it.
func TestFindingsReadLikeThis(t *testing.T) {
	f := sound()
	f.Sysctls["net/ipv4/ip_forward"] = "0"
	f.Sysctls["net/netfilter/nf_conntrack_acct"] = "0"
	f.Listening = []Socket{{netip.MustParseAddrPort("0.0.0.0:21"), 812, "vsftpd", "vsftpd.service"}}
	save(f, 0, "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o lan -j MASQUERADE\n")
	var got bytes.Buffer
	if err := Print(&got, Examine(f, parse(t, fronted))); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/findings.golden"
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}
