// Package archtest holds the rules of who may import whom: three layers, wire
// below alg, rules beside it, and each foreign library in one place.
package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rule says what a package of this module may import. Patterns end in "/..."
// for a whole tree; "std" stands for the standard library.
type rule struct {
	pkg string
	may []string
	// never lists packages of the standard library that are out of bounds.
	never []string
}

var effects = []string{"net", "os", "time", "log", "log/slog", "sync", "sync/atomic", "context", "os/exec", "syscall", "io/fs"}

func effectsBut(allowed string) []string {
	return slices.DeleteFunc(slices.Clone(effects), func(s string) bool { return s == allowed })
}

var rules = []rule{
	{pkg: "ftpalg/alg/wire", may: []string{"std"}, never: effects},
	{pkg: "ftpalg/alg/expect", may: []string{"std"}, never: []string{"net", "os", "log", "log/slog", "sync", "context", "os/exec", "syscall"}},
	{pkg: "ftpalg/alg/dialogue", may: []string{"std", "ftpalg/alg/wire", "ftpalg/alg/expect"}, never: effects},
	{pkg: "ftpalg/alg/nat", may: []string{"std", "ftpalg/alg/expect"}, never: []string{"net", "os", "log", "log/slog", "os/exec", "syscall"}},
	{pkg: "ftpalg/alg", may: []string{"std", "golang.org/x/time/rate", "ftpalg/alg/wire", "ftpalg/alg/expect", "ftpalg/alg/dialogue", "ftpalg/alg/nat"}, never: []string{"os/exec"}},
	{pkg: "ftpalg/alg/algtest", may: []string{"std", "ftpalg/alg/..."}},
	{pkg: "ftpalg/alg/transparent", may: []string{"std", "golang.org/x/sys/unix", "golang.org/x/net/bpf"}, never: []string{"os/exec"}},
	{pkg: "ftpalg/alg/capture", may: []string{"std", "ftpalg/alg/wire", "ftpalg/alg/dialogue", "ftpalg/alg/expect", "github.com/google/gopacket", "github.com/google/gopacket/layers", "github.com/google/gopacket/pcapgo", "golang.org/x/crypto/cryptobyte"}, never: []string{"net", "log", "log/slog", "sync", "os/exec"}},
	{pkg: "ftpalg/alg/capture/capturetest", may: []string{"std", "github.com/google/gopacket", "github.com/google/gopacket/layers"}},
	{pkg: "ftpalg/rules/rule", may: []string{"std", "ftpalg/alg/expect"}, never: effectsBut("time")},
	{pkg: "ftpalg/rules/rule/ruletest", may: []string{"std", "ftpalg/alg/expect", "ftpalg/rules/rule"}},
	{pkg: "ftpalg/rules/report", may: []string{"std", "ftpalg/alg/expect", "ftpalg/rules/rule"}, never: []string{"net", "os", "os/exec", "syscall"}},
	{pkg: "ftpalg/rules/ctnetlink", may: []string{"std", "ftpalg/rules/rule", "ftpalg/rules/report", "golang.org/x/sys/unix", "golang.org/x/net/bpf"}},
	{pkg: "ftpalg/rules/policyroute", may: []string{"std", "ftpalg/rules/rule", "ftpalg/rules/report", "golang.org/x/sys/unix", "github.com/vishvananda/netlink"}},
	{pkg: "ftpalg/rules/follow", may: []string{"std", "ftpalg/alg/expect", "ftpalg/rules/rule", "ftpalg/rules/report", "ftpalg/rules/ctnetlink", "golang.org/x/sys/unix"}},
	{pkg: "ftpalg/rules/expectation", may: []string{"std", "ftpalg/alg/expect", "ftpalg/rules/rule", "ftpalg/rules/report", "ftpalg/rules/ctnetlink", "golang.org/x/sys/unix"}},
	{pkg: "ftpalg/rules/iptables", may: []string{"std", "ftpalg/alg/expect", "ftpalg/rules/rule", "ftpalg/rules/report", "ftpalg/rules/ctnetlink", "ftpalg/rules/policyroute", "github.com/coreos/go-iptables/iptables"}},
	{pkg: "ftpalg/rules", may: []string{"std", "ftpalg/alg/expect", "ftpalg/rules/..."}, never: []string{"os", "os/exec", "syscall"}},
	{pkg: "ftpalg/deploy/lab/...", may: []string{"std", "ftpalg/deploy/lab/...", "github.com/vishvananda/...", "golang.org/x/sys/unix"}},
	{pkg: "ftpalg/deploy/withstand", may: []string{"std"}},
	{pkg: "ftpalg/deploy/demo", may: []string{"std", "ftpalg/deploy/lab/...", "golang.org/x/sys/unix"}},
	{pkg: "ftpalg/deploy/e2e/...", may: []string{"std"}},
	{pkg: "ftpalg/cmd/internal/metrics", may: []string{"std", "ftpalg/alg/...", "ftpalg/rules", "ftpalg/cmd/internal/api", "github.com/prometheus/client_golang/..."}},
	{pkg: "ftpalg/cmd/internal/xferlog", may: []string{"std"}},
	{pkg: "ftpalg/cmd/internal/api", may: []string{"std", "ftpalg/alg"}, never: effectsBut("time")},
	{pkg: "ftpalg/cmd/internal/page", may: []string{"std", "ftpalg/cmd/internal/api"}},
	{pkg: "ftpalg/cmd/internal/guard", may: []string{"std"}},
	{pkg: "ftpalg/cmd/internal/doctor", may: []string{"std", "ftpalg/cmd/internal/acme/order", "ftpalg/cmd/internal/pairs", "ftpalg/cmd/internal/config", "ftpalg/cmd/internal/wrap", "github.com/vishvananda/netlink", "golang.org/x/sys/unix"}},
	{pkg: "ftpalg/cmd/internal/wrap", may: []string{"std"}, never: effects},
	{pkg: "ftpalg/cmd/internal/explain", may: []string{"std", "ftpalg/alg/...", "ftpalg/rules", "ftpalg/cmd/internal/config", "ftpalg/cmd/internal/daemon", "ftpalg/cmd/internal/opener", "ftpalg/cmd/internal/wrap"}, never: []string{"net", "os", "os/exec", "syscall"}},
	{pkg: "ftpalg/cmd/internal/manual", may: []string{"std", "ftpalg/cmd/internal/config", "github.com/spf13/cobra", "github.com/spf13/pflag"}, never: []string{"net", "os"}},
	{pkg: "ftpalg/cmd/internal/link", may: []string{"std", "ftpalg/alg/expect", "golang.org/x/sys/unix"}},
	// The opener reads no FTP.
	{pkg: "ftpalg/cmd/internal/acme", may: []string{"std", "ftpalg/cmd/internal/acme/order", "github.com/caddyserver/certmagic", "github.com/mholt/acmez/v3", "go.uber.org/zap"}},
	{pkg: "ftpalg/cmd/internal/acme/order", may: []string{"std", "ftpalg/cmd/internal/config"}, never: effects},
	{pkg: "ftpalg/cmd/internal/pairs", may: []string{"std", "ftpalg/cmd/internal/acme/order", "ftpalg/cmd/internal/config"}, never: effectsBut("io/fs")},
	{pkg: "ftpalg/cmd/internal/proxyprotocol", may: []string{"std", "github.com/pires/go-proxyproto", "golang.org/x/sys/unix"}},
	{pkg: "ftpalg/cmd/internal/opener", may: []string{"std", "ftpalg/alg/expect", "ftpalg/alg/transparent", "ftpalg/rules", "ftpalg/cmd/internal/acme/order", "ftpalg/cmd/internal/admin", "ftpalg/cmd/internal/config", "ftpalg/cmd/internal/link", "ftpalg/cmd/internal/pairs", "ftpalg/cmd/internal/xferlog", "golang.org/x/sys/unix"}},
	{pkg: "ftpalg/cmd/internal/sandbox", may: []string{"std", "golang.org/x/sys/unix", "github.com/elastic/go-seccomp-bpf/...", "github.com/landlock-lsm/go-landlock/landlock"}},
	{pkg: "ftpalg/cmd/...", may: []string{"std", "ftpalg/alg/...", "ftpalg/rules/...", "ftpalg/cmd/...", "github.com/spf13/cobra", "github.com/coreos/go-systemd/v22/daemon", "gopkg.in/yaml.v3", "golang.org/x/sys/unix", "golang.org/x/net/netutil", "golang.org/x/term"}},
}

// only says which packages may import a library, or tree of packages, at all.
var only = map[string]string{
	"github.com/coreos/go-iptables/iptables": "ftpalg/rules/iptables",
	"gopkg.in/yaml.v3":                       "ftpalg/cmd/internal/config",
	"github.com/google/gopacket/...":         "ftpalg/alg/capture/...",
	"github.com/elastic/go-seccomp-bpf/...":  "ftpalg/cmd/internal/sandbox",
	"github.com/pires/go-proxyproto":         "ftpalg/cmd/internal/proxyprotocol",
	"github.com/caddyserver/certmagic":       "ftpalg/cmd/internal/acme",
	"ftpalg/cmd/internal/acme":               "ftpalg/cmd/ftpalg-acme",
	"github.com/landlock-lsm/...":            "ftpalg/cmd/internal/sandbox",
}

type listed struct {
	ImportPath string
	Imports    []string
	Standard   bool
	Error      *struct{ Err string }
}

// packages lists the packages of this module.
func packages(t *testing.T) (out []listed) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Error", "ftpalg/...")
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	for {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		if p.Error != nil {
			t.Fatalf("go list: %s: %s", p.ImportPath, p.Error.Err)
		}
		out = append(out, p)
	}
}

func matches(pattern, pkg string) bool {
	tree, ok := strings.CutSuffix(pattern, "/...")
	return pkg == pattern || ok && (pkg == tree || strings.HasPrefix(pkg, tree+"/"))
}

func isStd(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return !strings.Contains(first, ".") && first != "ftpalg"
}

func allowed(r rule, pkg string) bool {
	if isStd(pkg) {
		return slices.Contains(r.may, "std") && !slices.Contains(r.never, pkg)
	}
	return slices.ContainsFunc(r.may, func(p string) bool { return matches(p, pkg) })
}

func TestEveryPackageImportsOnlyWhatItMay(t *testing.T) {
	for _, p := range packages(t) {
		i := slices.IndexFunc(rules, func(r rule) bool { return matches(r.pkg, p.ImportPath) })
		if i < 0 {
			if len(p.Imports) > 0 && p.ImportPath != "ftpalg/deploy" {
				t.Errorf("%s has no rule here; give it one", p.ImportPath)
			}
			continue
		}
		for _, imported := range p.Imports {
			if !allowed(rules[i], imported) {
				t.Errorf("%s must not import %s", p.ImportPath, imported)
			}
			for library, owner := range only {
				if matches(library, imported) && !matches(owner, p.ImportPath) {
					t.Errorf("%s imports %s, which only %s may", p.ImportPath, imported, owner)
				}
			}
		}
	}
}

func TestTestHelpersStayInTests(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			if strings.HasSuffix(imported, "test") && strings.HasPrefix(imported, "ftpalg/") {
				t.Errorf("%s imports %s outside of its tests", p.ImportPath, imported)
			}
		}
	}
}

func TestTheRulesCanFail(t *testing.T) {
	wire := rules[0]
	for _, bad := range []string{"net", "ftpalg/alg", "gopkg.in/yaml.v3"} {
		if allowed(wire, bad) {
			t.Errorf("alg/wire may import %s", bad)
		}
	}
	if !allowed(wire, "net/netip") {
		t.Error("alg/wire may not import net/netip")
	}
}
