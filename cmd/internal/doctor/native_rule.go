package doctor

import (
	"encoding/json"
	"fmt"
	"slices"

	"ftpalg/cmd/internal/config"
)

// ends reports whether one of the rule's statements has one of the names.
func (r *NativeRule) ends(names ...string) bool {
	return slices.ContainsFunc(r.Expr, func(s statement) bool {
		return slices.ContainsFunc(names, func(name string) bool { _, has := s[name]; return has })
	})
}

// match is a match statement.
type match struct {
	Op    string
	Left  side
	Right json.RawMessage
}

// side is the left side of a match, as far as it is known here.
type side struct {
	Payload struct{ Field string }
	CT      keyed
	Meta    keyed
	Fib     struct{ Flags []string }
	And     []json.RawMessage `json:"&"`
}

// keyed is what has a key only, such as the mark in `ct mark`.
type keyed struct{ Key string }

// masks reports whether the side is `of & bits`.
func (s side) masks(of side, bits uint32) bool {
	if len(s.And) != 2 || string(s.And[1]) != fmt.Sprint(bits) {
		return false
	}
	var masked side
	return json.Unmarshal(s.And[0], &masked) == nil && masked.CT == of.CT && masked.Meta == of.Meta
}

// matches returns what limits the rule, but for the protocol.
func (r *NativeRule) matches() (out []match) {
	for _, s := range r.Expr {
		text, has := s["match"]
		if !has {
			continue
		}
		var m match
		if json.Unmarshal(text, &m) != nil {
			m = match{} // one that is not known
		}
		if m.Left.Meta.Key != "l4proto" {
			out = append(out, m)
		}
	}
	return out
}

// matchesDNAT reports whether the rule is for all translated connections.
func (r *NativeRule) matchesDNAT() bool {
	m := r.matches()
	return len(m) == 1 && m[0].Left.CT.Key == "status" && slices.Contains(stringsIn(m[0].Right), "dnat")
}

func stringsIn(text json.RawMessage) []string {
	var one string
	var many []string
	if json.Unmarshal(text, &one) == nil {
		return []string{one}
	}
	if json.Unmarshal(text, &many) != nil {
		return nil
	}
	return many
}

// concerns reports whether the rule matches packets to the port: surely where
// nothing but the port limits it, never where the port does not fit.
func (r *NativeRule) concerns(port uint16) certainty {
	all := surely
	for _, m := range r.matches() {
		if m.Left.Payload.Field != "dport" || m.Op != "==" && m.Op != "in" {
			all = min(all, perhaps)
			continue
		}
		all = min(all, certain(slices.ContainsFunc(portsIn(m.Right), func(p config.PortRange) bool { return p.Contains(port) })))
	}
	return all
}

// portsIn reads 21, {"range": [50000, 50999]}, or a set of both.
func portsIn(text json.RawMessage) []config.PortRange {
	var one uint16
	if json.Unmarshal(text, &one) == nil {
		return []config.PortRange{{First: one, Last: one}}
	}
	var more struct {
		Range []uint16
		Set   []json.RawMessage
	}
	if json.Unmarshal(text, &more) != nil {
		return nil
	}
	if len(more.Range) == 2 {
		return []config.PortRange{{First: more.Range[0], Last: more.Range[1]}}
	}
	var out []config.PortRange
	for _, member := range more.Set {
		out = append(out, portsIn(member)...)
	}
	return out
}
