package bench

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"
)

// settings say how much is measured.
type settings struct {
	quick         bool
	rows, columns *regexp.Regexp
	rounds        int
	cell          time.Duration
	markdown, svg string // files to write, "" for none
	old           string // an earlier ftpalg to compare with, "" for none
}

// longestCell keeps the data connections of one cell below what connection
// tracking remembers of ended ones (nf_conntrack_max).
const longestCell = 20

// readSettings reads the environment. asked is false if it asks for no
// benchmark at all.
func readSettings() (s settings, asked bool, err error) {
	switch os.Getenv("FTPALG_BENCH") {
	case "":
		return s, false, nil
	case "quick":
		s = settings{quick: true, rounds: 1, cell: 400 * time.Millisecond}
	default:
		s = settings{rounds: 3, cell: 2 * time.Second}
	}
	s.old = os.Getenv("FTPALG_BENCH_OLD")
	s.markdown, s.svg = os.Getenv("FTPALG_BENCH_MARKDOWN"), os.Getenv("FTPALG_BENCH_SVG")
	if s.rows, err = regexp.Compile(os.Getenv("FTPALG_BENCH_ROWS")); err != nil {
		return s, true, fmt.Errorf("FTPALG_BENCH_ROWS: %w", err)
	}
	if s.columns, err = regexp.Compile(os.Getenv("FTPALG_BENCH_COLUMNS")); err != nil {
		return s, true, fmt.Errorf("FTPALG_BENCH_COLUMNS: %w", err)
	}
	if text := os.Getenv("FTPALG_BENCH_ROUNDS"); text != "" {
		if s.rounds, err = strconv.Atoi(text); err != nil || s.rounds < 1 {
			return s, true, fmt.Errorf("FTPALG_BENCH_ROUNDS: want a positive number, have %q", text)
		}
	}
	if text := os.Getenv("FTPALG_BENCH_SECONDS"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || seconds <= 0 || seconds > longestCell {
			return s, true, fmt.Errorf("FTPALG_BENCH_SECONDS: want a number from 0 to %d, have %q", longestCell, text)
		}
		s.cell = time.Duration(seconds * float64(time.Second))
	}
	return s, true, nil
}

// former are the columns of an earlier ftpalg.
func (s settings) former() []subject {
	if s.old == "" {
		return nil
	}
	return []subject{ftpalg("former "+viaCT, s.old, "conntrack"), ftpalg("former "+viaRules, s.old, "iptables")}
}
