package doctor

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Ruleset is what one iptables tool lists: the rules of one family and one
// generation.
type Ruleset struct {
	// Tool is the program that changes them, such as ip6tables-legacy.
	Tool string
	Six  bool
	// Generation is nf_tables or legacy; InForce says that the plain name
	// (iptables, ip6tables) means this one.
	Generation string
	InForce    bool
	Chains     []*Chain
	// Incompatible are the tables that hold rules of nft(8) which iptables
	// cannot read.
	Incompatible []string
}

// Chain is one chain of a table.
type Chain struct {
	Table, Name string
	// Policy is ACCEPT or DROP, "-" for a chain that is not built in.
	Policy string
	Rules  []Rule
}

// Rule is the words of a rule after its chain, quoted as iptables-save does,
// which a shell reads alike.
type Rule []string

// words splits a line of iptables-save and leaves the quotes in place.
var words = regexp.MustCompile(`"(?:\\.|[^"\\])*"|\S+`)

// longestLine bounds a line of iptables-save, in bytes.
const longestLine = 1 << 20

// parseSave reads what iptables-save(8) prints.
func parseSave(in io.Reader) (chains []*Chain, incompatible []string, err error) {
	var table string
	find := func(name string) *Chain {
		i := slices.IndexFunc(chains, func(c *Chain) bool { return c.Table == table && c.Name == name })
		if i < 0 {
			chains = append(chains, &Chain{Table: table, Name: name})
			i = len(chains) - 1
		}
		return chains[i]
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		said := words.FindAllString(lines.Text(), -1)
		switch {
		case len(said) == 0:
		case strings.HasPrefix(said[0], "*"):
			table = said[0][1:]
		case strings.HasPrefix(said[0], ":") && len(said) > 1:
			find(said[0][1:]).Policy = said[1]
		case said[0] == "-A" && len(said) > 2:
			c := find(said[1])
			c.Rules = append(c.Rules, said[2:])
		case strings.HasSuffix(lines.Text(), "is incompatible, use 'nft' tool."):
			incompatible = append(incompatible, strings.Trim(said[2], "`'"))
		}
	}
	return chains, incompatible, lines.Err()
}

// chain returns a chain, nil if there is none.
func (r *Ruleset) chain(table, name string) *Chain {
	for _, c := range r.Chains {
		if c.Table == table && c.Name == name {
			return c
		}
	}
	return nil
}

// rules counts the rules.
func (r *Ruleset) rules() (n int) {
	for _, c := range r.Chains {
		n += len(c.Rules)
	}
	return n
}

// after returns the word that follows an option, "" if it is not there.
func (r Rule) after(option string) string {
	i := slices.Index(r, option)
	if i < 0 || i+1 == len(r) {
		return ""
	}
	return r[i+1]
}

// target returns where the rule jumps or goes to.
func (r Rule) target() string {
	if to := r.after("-j"); to != "" {
		return to
	}
	return r.after("-g")
}

// ours reports whether the rule leads into a chain of an ftpalg's.
func (r Rule) ours() bool { return strings.HasPrefix(r.target(), ownPrefix) }

// ownPrefix begins the names of the gateway's own chains (package rules).
const ownPrefix = "FTPALG-"

func (c *Chain) ours() bool { return strings.HasPrefix(c.Name, ownPrefix) }

// removal returns the command that deletes a rule.
func (r *Ruleset) removal(table, chain string, rule Rule) string {
	return fmt.Sprintf("%s -t %s -D %s %s", r.Tool, table, chain, strings.Join(rule, " "))
}
