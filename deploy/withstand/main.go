// Command withstand runs the tests of attacks, faults and load, and prints one
// row for each with its outcome. It exits with 1 unless all are held. It needs
// root, and is run from the repository's root.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	outcomes, err := runAll(rows)
	if err != nil {
		fmt.Fprintln(os.Stderr, "withstand:", err)
		os.Exit(1)
	}
	if !report(rows, outcomes) {
		os.Exit(1)
	}
}

// outcome is what became of a test: pass, fail or skip; a test that did not run
// has none.
type outcome string

const passed outcome = "pass"

// runAll runs the tests of the rows, one package after the other, each in both
// data paths where it has them.
func runAll(all []row) (map[string]outcome, error) {
	outcomes := make(map[string]outcome)
	for _, pkg := range packages(all) {
		for _, path := range pkg.paths() {
			fmt.Fprintf(os.Stderr, "%s %s\n", pkg.name, path)
			if err := pkg.run(path, outcomes); err != nil {
				return nil, err
			}
		}
	}
	return outcomes, nil
}

// testPackage is a package with those of its tests that are asked for.
type testPackage struct {
	name  string
	tests []string
}

func packages(all []row) (out []testPackage) {
	for _, r := range all {
		i := slices.IndexFunc(out, func(p testPackage) bool { return p.name == r.pkg })
		if i < 0 {
			out = append(out, testPackage{name: r.pkg})
			i = len(out) - 1
		}
		if !slices.Contains(out[i].tests, r.test) {
			out[i].tests = append(out[i].tests, r.test)
		}
	}
	return out
}

// paths are the data paths in which the package's tests run one by one.
func (p testPackage) paths() []string {
	if p.name == "./deploy/e2e" {
		return []string{"iptables", "conntrack"}
	}
	return []string{""}
}

// weight tells outcomes of several data paths apart: one that has failed once has
// failed, and a test may be of one path alone.
func weight(o outcome) int { return slices.Index([]outcome{"", "skip", passed, "fail"}, o) }

// run runs the tests and enters what becomes of each.
func (p testPackage) run(path string, outcomes map[string]outcome) error {
	c := exec.Command("go", "test", "-json", "-count=1", "-timeout", "10m", "-run", "^("+strings.Join(p.tests, "|")+")$", p.name)
	c.Env = append(os.Environ(), "FTPALG_E2E=1", "FTPALG_KILLS=100", "FTPALG_SESSIONS=9000", "FTPALG_SOAK=60", "FTPALG_DATA_PATH="+path)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return fmt.Errorf("run the tests of %s: %w", p.name, err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	said := make(map[string]*strings.Builder)
	for lines.Scan() {
		var e struct{ Action, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Test == "" {
			continue
		}
		if said[e.Test] == nil {
			said[e.Test] = new(strings.Builder)
		}
		said[e.Test].WriteString(e.Output)
		switch e.Action {
		case "fail":
			fmt.Fprint(os.Stderr, said[e.Test])
		case "pass", "skip":
		default:
			continue
		}
		key := p.name + " " + e.Test
		if now := outcome(e.Action); weight(now) > weight(outcomes[key]) {
			outcomes[key] = now
		}
	}
	c.Wait() // what it says is in the outcomes
	return lines.Err()
}

// report prints the table, and returns whether everything is held.
func report(all []row, outcomes map[string]outcome) bool {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KIND\tWHAT\tOUTCOME\tTEST")
	held := 0
	for _, r := range all {
		text := "held"
		switch o := outcomes[r.pkg+" "+r.test]; o {
		case passed:
			held++
		case "":
			text = "NOT RUN"
		default:
			text = "NOT HELD (" + string(o) + ")"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s %s\n", r.kind, r.what, text, r.pkg, r.test)
	}
	t.Flush()
	fmt.Printf("%d of %d held\n", held, len(all))
	return held == len(all)
}
