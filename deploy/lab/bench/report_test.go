package bench

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/bench/internal/load"
)

var update = flag.Bool("update", false, "write the golden files anew")

// anything is what settings pick when nothing is said.
var anything = regexp.MustCompile("")

// example is a report of two rounds with every kind of cell.
func example() *report {
	s := settings{rows: regexp.MustCompile("PASV, 8|NOOP, 1|1000 idle"), columns: anything, rounds: 2, cell: time.Second}
	r := newReport(s, subjects("ftpalg"))
	transfer, noop, idle, secured := r.probes[0], r.probes[1], r.probes[2], r.probes[3]
	fill := func(p probe, column string, done int, took time.Duration, resident int64) {
		c := r.at(p, subject{name: column})
		for round := range 2 {
			c.outcomes = append(c.outcomes, outcome{
				Result:   load.Result{Done: done + round, Elapsed: time.Second, P50: took, P99: 3 * took},
				resident: resident,
			})
		}
	}
	fill(transfer, routing, 6000, time.Millisecond, 0)
	fill(transfer, helper, 5000, time.Millisecond, 0)
	fill(transfer, viaRules, 600, time.Millisecond, 1)
	r.at(transfer, subject{name: helper}).outcomes[1].Failed = 3
	r.at(transfer, subject{name: helper}).outcomes[1].FirstError = "connect: timed out"
	fill(noop, helper, 9, 20*time.Microsecond, 0)
	fill(noop, viaRules, 9, 50*time.Microsecond, 1)
	fill(idle, helper, 9, 20*time.Microsecond, 0)
	fill(idle, viaRules, 9, 50*time.Microsecond, 21<<20)
	fill(secured, ownTLS, 200, time.Millisecond, 0)
	fill(secured, viaTLS, 1000, time.Millisecond, 1)
	r.at(noop, subject{name: routing}).failure = errors.New("no such host")
	for _, p := range r.probes[:3] {
		r.at(p, subject{name: viaCT}).missing = "not available"
	}
	return r
}

func TestTheReportReadsLikeThis(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"table.txt": example().tables().writeText,
		"table.md":  example().tables().writeMarkdown,
		"chart.svg": example().chart().writeSVG,
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%v; got\n%s\nwant\n%s", err, &got, want)
			}
		})
	}
}

func TestRatiosAreOfTheSameRound(t *testing.T) {
	// The machine was three times as fast in the second round.
	values, by := []float64{50, 150, 40}, []float64{100, 300, 100}
	if got, ok := median(quotients(values, by)); !ok || got != 0.5 {
		t.Errorf("median of quotients = %v, want 0.5", got)
	}
	if got, ok := median([]float64{4, 1, 3, 2}); !ok || got != 2 {
		t.Errorf("median of four = %v, want the lower middle, 2", got)
	}
	if _, ok := median(nil); ok {
		t.Error("nothing has a median")
	}
}

func TestEveryClaimIsOfRowsAndColumnsThatExist(t *testing.T) {
	r := newReport(settings{rows: anything, columns: anything}, subjects("ftpalg"))
	var rows, columns []string
	for _, p := range r.probes {
		for _, m := range p.measures {
			rows = append(rows, m.name)
		}
	}
	for _, s := range r.subjects {
		columns = append(columns, s.name)
	}
	for _, c := range claims() {
		for _, f := range []figure{c.of, c.by} {
			if f != (figure{}) && (!slices.Contains(rows, f.row) || !slices.Contains(columns, f.column)) {
				t.Errorf("%s: no figure %+v", c.says, f)
			}
		}
		if c.least == 0 && c.most == 0 {
			t.Errorf("%s: no bound", c.says)
		}
	}
}

func TestSettingsComeFromTheEnvironment(t *testing.T) {
	tests := []struct {
		env  map[string]string
		want settings
		bad  bool
	}{
		{env: map[string]string{"FTPALG_BENCH": "1"}, want: settings{rounds: 3, cell: 2 * time.Second}},
		{env: map[string]string{"FTPALG_BENCH": "quick", "FTPALG_BENCH_SECONDS": "0.1", "FTPALG_BENCH_SVG": "x"},
			want: settings{quick: true, rounds: 1, cell: 100 * time.Millisecond, svg: "x"}},
		{env: map[string]string{"FTPALG_BENCH": "1", "FTPALG_BENCH_ROUNDS": "0"}, bad: true},
		{env: map[string]string{"FTPALG_BENCH": "1", "FTPALG_BENCH_SECONDS": "21"}, bad: true},
		{env: map[string]string{"FTPALG_BENCH": "1", "FTPALG_BENCH_ROWS": "("}, bad: true},
	}
	for _, test := range tests {
		t.Run("", func(t *testing.T) {
			for _, key := range []string{"", "_ROWS", "_COLUMNS", "_ROUNDS", "_SECONDS", "_MARKDOWN", "_SVG"} {
				t.Setenv("FTPALG_BENCH"+key, test.env["FTPALG_BENCH"+key])
			}
			got, asked, err := readSettings()
			got.rows, got.columns = nil, nil
			if !asked || (err != nil) != test.bad || !test.bad && got != test.want {
				t.Errorf("%v: %+v, %v; want %+v", test.env, got, err, test.want)
			}
		})
	}
}

func TestACellIsMeasured(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, s := range subjects("")[:2] { // those that need no program
		o, err := once(ctx, transfers(load.PASV, 2, 10*time.Millisecond), s)
		unavailable := new(lab.UnavailableError)
		if errors.As(err, &unavailable) && os.Getenv("FTPALG_E2E") != "1" {
			t.Skip(err)
		}
		if err != nil || o.Done < 2 || o.Failed > 0 || o.resident != 0 {
			t.Errorf("%s: %+v, %v; want transfers, and no process on the gateway", s.name, o, err)
		}
	}
}

func TestMemoryIsThatOfTheProcess(t *testing.T) {
	n, err := proportional("/proc/self")
	if err != nil || n < 1<<20 || n > 1<<30 {
		t.Errorf("this process occupies %d bytes, %v", n, err)
	}
	if n, err := proportional("/proc/none"); n != 0 || err != nil {
		t.Errorf("a process that has ended occupies %d bytes, %v", n, err)
	}
}
