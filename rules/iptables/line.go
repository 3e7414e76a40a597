package iptables

import (
	"slices"
	"strings"
)

// tag begins the comment of every rule that this package makes. Together
// with the chain it tells our rules from foreign ones.
const tag = "ftpalg "

// line is one iptables rule: where it stands, and its words in the order and
// spelling in which `iptables -S` prints them, so that what is planned, what
// is shown and what the kernel says read alike.
type line struct {
	table, chain string
	words        []string
}

// key identifies a rule. Versions of iptables print the same match
// differently; a comment comes back as it was given.
type key struct{ table, chain, comment string }

func (r line) key() key { return key{r.table, r.chain, r.comment()} }

func (r line) in() chain { return chain{r.table, r.chain} }

// comment returns the text of the rule's comment match, "" if it has none.
func (r line) comment() string { return r.after("--comment") }

// target returns the chain or target that the rule jumps to.
func (r line) target() string { return r.after("-j") }

func (r line) after(option string) string {
	i := slices.Index(r.words, option)
	if i < 0 || i+1 == len(r.words) {
		return ""
	}
	return r.words[i+1]
}

// ours reports whether this package made the rule.
func (r line) ours() bool { return strings.HasPrefix(r.comment(), tag) }

// spec returns the rule's words as one line, quoted for iptables-restore.
func (r line) spec() string {
	quoted := make([]string, len(r.words))
	for i, w := range r.words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, " ")
}

// String returns the rule as `iptables -S` prints it, with its table.
func (r line) String() string {
	return "-t " + r.table + " -A " + r.chain + " " + r.spec()
}

func texts(rules []line) []string {
	lines := make([]string, len(rules))
	for i, r := range rules {
		lines[i] = r.String()
	}
	return lines
}

// quote puts a word into the form that iptables-save writes: bare where it
// may be, else in double quotes with backslashes.
func quote(word string) string {
	if word != "" && !strings.ContainsAny(word, " \t\"'\\") {
		return word
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `\'`).Replace(word) + `"`
}

// split is the reverse of quote for a whole line.
func split(line string) []string {
	var words []string
	var word strings.Builder
	var quoted, escaped, open bool
	for _, c := range []byte(line) {
		switch {
		case escaped:
			word.WriteByte(c)
			escaped = false
		case c == '\\' && quoted:
			escaped = true
		case c == '"':
			quoted, open = !quoted, true
		case c == ' ' && !quoted:
			if open {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if open {
		words = append(words, word.String())
	}
	return words
}
