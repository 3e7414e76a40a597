// Package manual writes the manual pages: that of the commands from the command
// line's own help, that of the configuration from its keys, so that neither
// can say what is not so.
package manual

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ftpalg/cmd/internal/config"
)

// page writes one page in man(7).
type page struct {
	w   io.Writer
	err error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// text returns words as roff takes them.
func text(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

func (p *page) head(name, section, short string) {
	p.line(`.TH "%s" "%s" "" "ftpalg" ""`, strings.ToUpper(name), section)
	p.section("NAME")
	p.line(`%s \- %s`, text(name), text(short))
}

func (p *page) section(name string) { p.line(".SH %s", name) }

func (p *page) paragraph(words string) {
	p.line(".PP")
	p.line("%s", text(words))
}

// entry writes a tagged paragraph.
func (p *page) entry(tag, words string) {
	p.line(".TP")
	p.line(`\fB%s\fR`, text(tag))
	p.line("%s", text(words))
}

// Commands writes ftpalg(8).
func Commands(w io.Writer, root *cobra.Command) error {
	p := &page{w: w}
	p.head(root.Name(), "8", root.Short)
	p.section("SYNOPSIS")
	p.line(`.B %s`, text(root.Name()))
	p.line(`\fICOMMAND\fR [\fIOPTION\fR]...`)
	p.section("DESCRIPTION")
	p.line("%s", text(root.Long))
	p.section("COMMANDS")
	for _, c := range root.Commands() {
		if !c.IsAvailableCommand() {
			continue
		}
		p.line(".SS %s", text(c.UseLine()))
		p.line("%s", text(sentence(c)))
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && f.Name != "help" {
				p.entry(option(f), usage(f))
			}
		})
	}
	p.section("EXIT STATUS")
	p.entry("0", "The command did what it was asked for, or the answer is yes.")
	p.entry("1", "It failed, or the answer is no; stderr says why.")
	p.entry("2", "The command line cannot be understood.")
	p.section("SIGNALS")
	p.entry("SIGHUP", "run reads its configuration again; if it is not good, the running one stays in force.")
	p.entry("SIGUSR1", "run opens the transfer log anew.")
	p.entry("SIGTERM, SIGINT", "run takes no more sessions, lets transfers go on for limits.drain_timeout, and removes its rules.")
	p.section("FILES")
	p.entry("/etc/ftpalg/ftpalg.yaml", "The configuration, see ftpalg.yaml(5).")
	p.entry(config.Default().Admin.Socket, "The socket of the commands that ask a running gateway.")
	p.entry(config.SchemaFile, "The JSON Schema of the configuration, for editors.")
	p.section("SEE ALSO")
	p.line(`.BR ftpalg.yaml (5),`)
	p.line(`.BR iptables (8),`)
	p.line(`.BR xferlog (5)`)
	return p.err
}

// sentence returns what a command says of itself.
func sentence(c *cobra.Command) string {
	if c.Long == "" {
		return c.Short + "."
	}
	return c.Short + ".\n" + c.Long
}

func option(f *pflag.Flag) string {
	name, _ := pflag.UnquoteUsage(f)
	tag := "--" + f.Name
	if f.Shorthand != "" {
		tag = "-" + f.Shorthand + ", " + tag
	}
	if name != "" {
		tag += " " + strings.ToUpper(name)
	}
	return tag
}

func usage(f *pflag.Flag) string {
	_, words := pflag.UnquoteUsage(f)
	words = strings.ToUpper(words[:1]) + words[1:]
	if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "[]" {
		words += " (" + f.DefValue + ")"
	}
	return words + "."
}

// Configuration writes ftpalg.yaml(5).
func Configuration(w io.Writer) error {
	p := &page{w: w}
	p.head("ftpalg.yaml", "5", "configuration of ftpalg")
	p.section("DESCRIPTION")
	p.line("%s", text("ftpalg reads one file in YAML, /etc/ftpalg/ftpalg.yaml unless it is told another. It is read strictly: keys that do not exist, "+
		"values out of range and what does not fit together are errors, all reported at once with line and column. Only listeners is required."))
	p.paragraph("ftpalg check says whether a file is good, ftpalg print-config what it means with every default, ftpalg explain what it means for one client.")
	p.section("EXAMPLE")
	p.line(".nf")
	p.line("%s", text(example))
	p.line(".fi")
	p.section("KEYS")
	p.line("%s", text("A list of mappings is shown by []. Addresses are IP addresses and never names, except nat[].public."))
	for _, k := range config.Keys() {
		words := k.Meaning + "\nTakes " + strings.ReplaceAll(k.Form, "`", "") + "."
		if k.Default != "" {
			words += "\nDefault: " + k.Default + "."
		}
		p.entry(k.Path, words)
	}
	p.section("RELOAD")
	p.line("%s", text("A reload (SIGHUP, ftpalg reload) may change everything but data.path, admin and netfilter, which need a restart. Sessions keep what they began with."))
	p.section("SEE ALSO")
	p.line(`.BR ftpalg (8)`)
	return p.err
}

// example is a whole configuration.
const example = `listeners:
  - name: legacy
    listen: 203.0.113.1:21
    server: 198.18.1.20:21
    source: client
data:
  passive_ports: 50000-50999`
