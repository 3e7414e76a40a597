package dialogue

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// golden is one dialogue of testdata: "# " comments, "@ key value" settings,
// then the script.
type golden struct {
	name           string
	policy         Policy
	client, server string
	lines          []string
}

func goldens(t *testing.T) (out []golden) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogues in testdata: %v", err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, parseGolden(t, strings.TrimSuffix(filepath.Base(f), ".txt"), string(text)))
	}
	return out
}

func parseGolden(t *testing.T, name, text string) golden {
	t.Helper()
	g := golden{name: name, client: "203.0.113.10", server: "198.18.1.20"}
	for _, l := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case strings.HasPrefix(l, "#") || l == "":
		case l == "set third_party allow":
			g.policy.ThirdParty = true
		case strings.HasPrefix(l, "set banner "):
			g.policy.Banner = strings.TrimPrefix(l, "set banner ")
		case strings.HasPrefix(l, "set system "):
			g.policy.System = strings.TrimPrefix(l, "set system ")
		case strings.HasPrefix(l, "set server_data "):
			g.policy.ServerData = []netip.Prefix{netip.MustParsePrefix(strings.TrimPrefix(l, "set server_data "))}
		case l == "set lowest_data_port 50000":
			g.policy.LowestPort = 50000
		case l == "set tls refuse":
			g.policy.TLS = RefuseTLS
		case l == "set ipv6":
			g.client, g.server = "2001:db8:1::10", "2001:db8:2::20"
		case l == "set ipv6 client":
			g.client = "2001:db8:1::10"
		case l == "set ipv6 server":
			g.server = "2001:db8:2::20"
		case strings.HasPrefix(l, "set "):
			t.Fatalf("%s: unknown setting %q", name, l)
		default:
			g.lines = append(g.lines, l)
		}
	}
	return g
}
