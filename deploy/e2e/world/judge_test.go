package world

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// judge compares each setting with plain routing. A difference fails, unless
// it has its reason.
func (w *world) judge(t *testing.T) {
	w.wantUseful(t)
	passed, failed := 0, 0
	used := map[string]bool{}
	for _, c := range w.sorted() {
		baseline := w.baseline(c)
		switch {
		case baseline == c.setting, w.results[c] == "":
			passed++
		case w.failsAnyway(c):
			passed++
		case reasonFor(c) != "":
			used[reasonFor(c)] = true
			passed++
		default:
			failed++
			t.Errorf("%s, %s, %s %s, %s: works without a gateway, and with it: %s", c.setting, c.server, c.client, c.mode, c.step, short(w.results[c]))
		}
	}
	if full() && !partial() {
		for _, r := range reasons {
			if !used[r.why] {
				t.Errorf("no difference has this reason any more: %s", r.why)
			}
		}
		check(t, os.WriteFile("../../doc/compatibility.md", []byte(w.table()), 0o644))
	}
	if dump := os.Getenv("FTPALG_WORLD_LOG"); dump != "" {
		w.dump(t, dump)
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
}

// wantUseful fails for a client that downloads nothing by plain routing, and for
// a server that nobody downloads from: then it is the test that does not work.
func (w *world) wantUseful(t *testing.T) {
	useful := map[string]bool{}
	for c, problem := range w.results {
		if c.setting == plain4 && c.step == "download" && problem == "" {
			useful[c.client], useful[c.server] = true, true
		}
	}
	for _, c := range w.clients {
		if !useful[c.name] {
			t.Errorf("%s downloads nothing by plain routing", c.name)
		}
	}
	for _, s := range w.servers {
		if !useful[s.name] {
			t.Errorf("no client downloads from %s by plain routing", s.name)
		}
	}
}

// dump writes every step that failed, whatever the reason, into a file.
func (w *world) dump(t *testing.T, file string) {
	var b strings.Builder
	for _, c := range w.sorted() {
		if problem := w.results[c]; problem != "" {
			fmt.Fprintf(&b, "%s | %s | %s %s | %s | %s\n", c.setting, c.server, c.client, c.mode, c.step, short(problem))
		}
		if problem := w.unsteady[c]; problem != "" {
			fmt.Fprintf(&b, "at the first try: %s | %s | %s %s | %s | %s\n", c.setting, c.server, c.client, c.mode, c.step, short(problem))
		}
	}
	check(t, os.WriteFile(file, []byte(b.String()), 0o644))
}

// baseline returns the setting without a gateway that a cell is compared with.
func (w *world) baseline(c cell) string {
	for _, s := range settings() {
		if s.name == c.setting && s.baseline != "" {
			return s.baseline
		}
	}
	return c.setting
}

// failsAnyway reports whether the step fails by plain routing too.
func (w *world) failsAnyway(c cell) bool {
	c.setting = w.baseline(c)
	problem, ok := w.results[c]
	return ok && problem != ""
}

func (w *world) sorted() []cell {
	return slices.SortedFunc(maps.Keys(w.results), func(a, b cell) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
}

func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return text[:min(len(text), 300)]
}

// reason explains differences between a gateway and plain routing.
type reason struct {
	applies func(cell) bool
	why     string
}

// reasons are the differences that are no defects.
var reasons = []reason{
	{
		func(c cell) bool {
			active := c.mode == "PORT" || c.mode == "EPRT" || c.mode == "active"
			return active && (c.server == "ftpserverlib" || c.server == "ftp-srv")
		},
		"ftpserverlib and ftp-srv open active data connections from their host's first address, not from the one that the " +
			"client has reached (in this lab the server host has one address for each server). The gateway admits data connections " +
			"from the session's own server only, as the kernel's helper does.",
	},
	{
		func(c cell) bool {
			return c.mode == "PASV" && c.server == "vsftpd" && c.client == "Go jlaffaye/ftp" && strings.Contains(c.setting, "IPv6")
		},
		"PASV cannot carry an IPv6 address (RFC 2428 section 1). vsftpd answers it over IPv6 with 0,0,0,0, from which this client " +
			"concludes that the server itself is meant; the gateway answers 522 and names EPSV, which this client uses unless it is told not to.",
	},
	{
		func(c cell) bool {
			return c.mode == "PASV" && c.server == "inetutils-ftpd" && c.client == "tnftp" && strings.Contains(c.setting, "IPv6") &&
				(c.step == "download" || c.step == "upload") // a listing says too little to tell
		},
		"Told not to use EPSV, tnftp says LPSV (RFC 1639) over IPv6, and of these servers inetutils-ftpd alone still knows it. " +
			"RFC 5797 calls LPRT and LPSV historic; the gateway answers 502 and names EPSV, which this client uses unless it is told not to.",
	},
}

func reasonFor(c cell) string {
	for _, r := range reasons {
		if r.applies(c) {
			return r.why
		}
	}
	return ""
}

// table writes the compatibility table: for each client and server, what does
// not work, with a gateway and without.
func (w *world) table() string {
	var b strings.Builder
	b.WriteString(`# Compatibility

Written by ` + "`make world`" + `: each client with each server, by plain routing and through the gateway. A cell says how
many of the steps work, each in all modes of the client and all settings: through the gateway / by plain routing.

`)
	b.WriteString("| client |")
	for _, s := range w.servers {
		b.WriteString(" " + s.name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(w.servers)) + "\n")
	for _, c := range w.clients {
		b.WriteString("| " + c.name + " |")
		for _, s := range w.servers {
			b.WriteString(" " + w.score(c.name, s.name) + " |")
		}
		b.WriteString("\n")
	}
	w.notes(&b)
	return b.String()
}

// score counts what works of a pair.
func (w *world) score(client, server string) string {
	var works, plain [2]int // of how many
	for c, problem := range w.results {
		if c.client != client || c.server != server {
			continue
		}
		counted := &works
		if w.baseline(c) == c.setting {
			counted = &plain
		}
		counted[1]++
		if problem == "" {
			counted[0]++
		}
	}
	return fmt.Sprintf("%d of %d / %d of %d", works[0], works[1], plain[0], plain[1])
}

// notes lists the settings, what fails without a gateway, the reasons and what
// could not be had.
func (w *world) notes(b *strings.Builder) {
	b.WriteString("\n## Settings\n\n")
	for _, s := range settings() {
		switch {
		case !takesPart(s):
			fmt.Fprintf(b, "- %s: not in this run\n", s.name)
		case s.thorough():
			fmt.Fprintf(b, "- %s: every step\n", s.name)
		default:
			fmt.Fprintf(b, "- %s: the short steps\n", s.name)
		}
	}
	b.WriteString("\n## What does not work by plain routing either\n\n| server | client | steps |\n|---|---|---|\n")
	fails := map[[2]string]map[string]bool{}
	for c, problem := range w.results {
		if problem == "" || w.baseline(c) != c.setting {
			continue
		}
		key := [2]string{c.server, c.client}
		if fails[key] == nil {
			fails[key] = map[string]bool{}
		}
		family := "IPv4"
		if c.setting == plain6 {
			family = "IPv6"
		}
		fails[key][strings.TrimSpace(c.step+" "+c.mode+" "+family)] = true
	}
	for _, key := range slices.SortedFunc(maps.Keys(fails), func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) }) {
		fmt.Fprintf(b, "| %s | %s | %s |\n", key[0], key[1], strings.Join(slices.Sorted(maps.Keys(fails[key])), ", "))
	}
	b.WriteString("\n## Differences that have a reason\n\n")
	for _, r := range reasons {
		fmt.Fprintf(b, "- %s\n", r.why)
	}
	if len(reasons) == 0 {
		b.WriteString("None.\n")
	}
	w.unsteadyTable(b)
	refusalsTable(b)
	if len(w.absent) > 0 {
		fmt.Fprintf(b, "\n## Not tried\n\nThese could not be had from Debian, npm or the Go proxy: %s.\n", strings.Join(w.absent, ", "))
	}
}

// unsteadyTable lists what went wrong at the first try and worked at the second.
func (w *world) unsteadyTable(b *strings.Builder) {
	b.WriteString("\n## What went wrong at the first try and worked at the second\n\n")
	if len(w.unsteady) == 0 {
		b.WriteString("Nothing.\n")
		return
	}
	b.WriteString("| setting | server | client | step | the first try |\n|---|---|---|---|---|\n")
	for _, c := range w.sorted() {
		if problem := w.unsteady[c]; problem != "" {
			fmt.Fprintf(b, "| %s | %s | %s %s | %s | %s |\n", c.setting, c.server, c.client, c.mode, c.step, cellText(problem))
		}
	}
}

// cellText cuts what a program said to what a cell of a table can hold: its end.
func cellText(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "?"), "|", "/")
	return text[max(0, len(text)-120):]
}
