package doctor

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Native is what nft(8) lists beside the tables of iptables-nft.
type Native struct {
	Chains []*NativeChain
	// FTPHelpers are the names of ct helper objects of type ftp.
	FTPHelpers []string
}

// NativeChain is one chain of nftables. Hook is "" where packets only come by
// a jump.
type NativeChain struct {
	Family   string        `json:"family"`
	Table    string        `json:"table"`
	Name     string        `json:"name"`
	Type     string        `json:"type"`
	Hook     string        `json:"hook"`
	Policy   string        `json:"policy"`
	Priority int           `json:"prio"`
	Rules    []*NativeRule `json:"-"`
}

// NativeRule is one rule, in the form of libnftables-json(5).
type NativeRule struct {
	Handle int         `json:"handle"`
	Expr   []statement `json:"expr"`
}

// statement is an object with one key, the statement's name.
type statement map[string]json.RawMessage

// parseNative reads what `nft -j list ruleset` prints.
func parseNative(text []byte) (*Native, error) {
	var all struct {
		Nftables []struct {
			Chain *NativeChain
			Rule  *struct {
				NativeRule
				Family, Table, Chain string
			}
			Helper *struct{ Name, Type string } `json:"ct helper"`
		}
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("read what nft lists: %w", err)
	}
	n := &Native{}
	for _, o := range all.Nftables {
		switch {
		case o.Chain != nil && !ofIPTables(o.Chain.Family, o.Chain.Table):
			n.Chains = append(n.Chains, o.Chain)
		case o.Rule != nil:
			if c := n.chain(o.Rule.Family, o.Rule.Table, o.Rule.Chain); c != nil {
				c.Rules = append(c.Rules, &o.Rule.NativeRule)
			}
		case o.Helper != nil && o.Helper.Type == "ftp":
			n.FTPHelpers = append(n.FTPHelpers, o.Helper.Name)
		}
	}
	return n, nil
}

// ofIPTables reports whether iptables-nft(8) keeps its rules in the table.
func ofIPTables(family, table string) bool {
	return (family == "ip" || family == "ip6") && slices.Contains([]string{"filter", "nat", "mangle", "raw", "security"}, table)
}

func (n *Native) chain(family, table, name string) *NativeChain {
	for _, c := range n.Chains {
		if c.Family == family && c.Table == table && c.Name == name {
			return c
		}
	}
	return nil
}

// String returns the chain as nft(8) takes it.
func (c *NativeChain) String() string { return c.Family + " " + c.Table + " " + c.Name }

// sees reports whether packets of the address family pass the chain.
func (c *NativeChain) sees(six bool) bool {
	switch c.Family {
	case "ip":
		return !six
	case "ip6":
		return six
	}
	return c.Family == "inet"
}

// refuses reports whether the chain lets nothing pass that no rule accepts:
// by its policy or by a last rule without a match.
func (c *NativeChain) refuses() bool {
	if c.Policy == "drop" {
		return true
	}
	if len(c.Rules) == 0 {
		return false
	}
	last := c.Rules[len(c.Rules)-1]
	return last.ends("drop", "reject") && len(last.matches()) == 0
}

// removal returns the command that deletes a rule.
func (c *NativeChain) removal(r *NativeRule) string {
	return fmt.Sprintf("nft delete rule %s handle %d", c, r.Handle)
}
