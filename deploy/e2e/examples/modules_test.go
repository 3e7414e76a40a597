package examples

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// moduleOf names the module of each match and target: `modinfo -F alias` on
// net/netfilter/xt_*.c. ACCEPT is a verdict and has none.
func moduleOf() map[string]string {
	return map[string]string{
		"-m addrtype":  "xt_addrtype",
		"-m comment":   "xt_comment",
		"-m connmark":  "xt_connmark",
		"-m conntrack": "xt_conntrack",
		"-m hashlimit": "xt_hashlimit",
		"-m helper":    "xt_helper",
		"-m mark":      "xt_mark",
		"-m multiport": "xt_multiport",
		"-m socket":    "xt_socket",
		"-m tcp":       "xt_tcpudp",
		"-m time":      "xt_time",
		"-j ACCEPT":    "",
		"-j CONNMARK":  "xt_connmark",
		"-j DNAT":      "xt_nat",
		"-j MARK":      "xt_mark",
		"-j REDIRECT":  "xt_REDIRECT",
		"-j SNAT":      "xt_nat",
		"-j TPROXY":    "xt_TPROXY",
	}
}

// engine returns the modules below all rules, and those of the conntrack data
// path.
func engine() []string {
	return []string{"nf_conntrack", "nf_tables", "nft_chain_nat", "nft_compat", "nf_conntrack_netlink", "nf_conntrack_ftp"}
}

func TestEveryModuleOfTheRulesIsLoadedAndNoOther(t *testing.T) {
	want := engine()
	for _, use := range usesOfRules(t) {
		module, known := moduleOf()[use]
		if !known {
			t.Errorf("the rules use %q: say here which module has it, and load that", use)
		}
		if module != "" {
			want = append(want, module)
		}
	}
	slices.Sort(want)
	want = slices.Compact(want)
	got := slices.Sorted(slices.Values(settings(t, "modules-load.d", "ftpalg.conf")))
	if !slices.Equal(got, want) {
		t.Errorf("modules-load.d loads\n%q\nthe rules need\n%q", got, want)
	}
}

// usesOfRules returns every "-m MATCH" and "-j TARGET" that stands in the
// source of package iptables, each once.
func usesOfRules(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../../rules/iptables/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %q: %v", files, err)
	}
	var uses []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			uses = append(uses, usesIn(n)...)
			return true
		})
	}
	slices.Sort(uses)
	return slices.Compact(uses)
}

// usesIn finds the options with their names that follow one another in a call
// or a list.
func usesIn(n ast.Node) (uses []string) {
	var words []ast.Expr
	switch n := n.(type) {
	case *ast.CallExpr:
		words = n.Args
	case *ast.CompositeLit:
		words = n.Elts
	}
	for i := range len(words) - 1 {
		option, name := literal(words[i]), literal(words[i+1])
		if (option == "-m" || option == "-j") && name != "" {
			uses = append(uses, option+" "+name)
		}
	}
	return uses
}

func literal(e ast.Expr) string {
	word, ok := e.(*ast.BasicLit)
	if !ok || word.Kind != token.STRING {
		return ""
	}
	text, _ := strconv.Unquote(word.Value) // the parser has accepted it
	return text
}
