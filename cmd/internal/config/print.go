package config

import (
	"bytes"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"
)

// Print writes the configuration in force as YAML, every default included.
// Parsing it gives the same configuration again, but for a token, which is
// hidden behind a word that is refused as one.
func (c *Config) Print(w io.Writer) error {
	var text bytes.Buffer
	e := yaml.NewEncoder(&text)
	e.SetIndent(2)
	if err := e.Encode(group(c.fields()).node()); err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	if _, err := w.Write(text.Bytes()); err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	return nil
}

func (w word) node() *yaml.Node {
	text := w.text()
	if text == "" {
		return nil
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
	switch n.ShortTag() {
	case "!!str", "!!int", "!!bool":
	default:
		n.Style = yaml.DoubleQuotedStyle // else it would be read as null, for example
	}
	return n
}

func (l list) node() *yaml.Node {
	words := l.words()
	if len(words) == 0 {
		return nil
	}
	if l.single && len(words) == 1 {
		return words[0].node()
	}
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, w := range words {
		n.Content = append(n.Content, w.node())
	}
	return n
}

func (g group) node() *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range g {
		if v := f.value.node(); v != nil {
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: f.key}, v)
		}
	}
	return n
}

func (v wordOrGroup) node() *yaml.Node {
	if !v.whole() {
		return v.word.node()
	}
	return v.group.node()
}

func (s section) node() *yaml.Node {
	g, ok := s.get()
	if !ok {
		return nil
	}
	return g.node()
}

func (s sequence) node() *yaml.Node {
	items := s.items()
	if len(items) == 0 {
		return nil
	}
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, g := range items {
		n.Content = append(n.Content, g.node())
	}
	return n
}
