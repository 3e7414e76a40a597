package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table is the report as text, before it has a form.
type table struct {
	head  []string
	rows  [][]string
	notes []string
}

// unmeasured stands in a cell that has no figure; a note may say why.
const unmeasured = "–"

// tables are that of FTP and that of FTPS, where anything was measured.
func (r *report) tables() (all tables) {
	for _, ftps := range []bool{false, true} {
		one := &report{cells: r.cells}
		for _, s := range r.subjects {
			if s.ftps == ftps {
				one.subjects = append(one.subjects, s)
			}
		}
		for _, p := range r.probes {
			if p.job.TLS == ftps {
				one.probes = append(one.probes, p)
			}
		}
		if len(one.subjects) > 0 && len(one.probes) > 0 {
			all = append(all, one.table())
		}
	}
	return all
}

// table arranges the medians. In parentheses stands the ratio to the kernel
// helper, or to a server that speaks TLS itself.
func (r *report) table() table {
	t := table{head: []string{"", "unit"}}
	for _, s := range r.subjects {
		t.head = append(t.head, s.name)
	}
	for _, p := range r.probes {
		for _, m := range p.measures {
			row := []string{m.name, m.unit}
			for _, s := range r.subjects {
				row = append(row, r.entry(m, s))
			}
			t.rows = append(t.rows, row)
		}
	}
	t.notes = append(r.reliability(), r.excuses()...)
	return t
}

// tables are printed one below the other.
type tables []table

func (all tables) writeText(w io.Writer) error     { return all.write(w, table.writeText) }
func (all tables) writeMarkdown(w io.Writer) error { return all.write(w, table.writeMarkdown) }

func (all tables) write(w io.Writer, one func(table, io.Writer) error) error {
	for i, t := range all {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := one(t, w); err != nil {
			return err
		}
	}
	return nil
}

func (r *report) entry(m measure, s subject) string {
	with := helper
	if s.ftps {
		with = ownTLS
	}
	values := r.values(figure{m.name, s.name})
	value, ok := median(values)
	if !ok {
		return unmeasured
	}
	text := number(value)
	if ratio, ok := median(quotients(values, r.values(figure{m.name, with}))); ok && s.name != with {
		text += fmt.Sprintf(" (%.2f)", ratio)
	}
	return text
}

func number(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// reliability says for each subject how many tasks failed.
func (r *report) reliability() []string {
	var lines []string
	for _, s := range r.subjects {
		var done, failed int
		var first string
		for _, p := range r.probes {
			for _, o := range r.at(p, s).outcomes {
				done, failed = done+o.Done, failed+o.Failed
				if first == "" && o.Failed > 0 {
					first = fmt.Sprintf("; the first, %s: %s", p.name, o.FirstError)
				}
			}
		}
		if done+failed > 0 {
			lines = append(lines, fmt.Sprintf("%s: %d of %d failed%s", s.name, failed, done+failed, first))
		}
	}
	return lines
}

// excuses says why cells are empty, each reason once for a subject.
func (r *report) excuses() []string {
	var lines []string
	for _, s := range r.subjects {
		said := map[string]bool{}
		for _, p := range r.probes {
			c := r.at(p, s)
			why := c.missing
			if c.failure != nil {
				why = p.name + ": " + c.failure.Error()
			}
			if why != "" && !said[why] {
				said[why] = true
				lines = append(lines, s.name+": "+why)
			}
		}
	}
	return lines
}

// writeText writes the table in columns.
func (t table) writeText(w io.Writer) error {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range append([][]string{t.head}, t.rows...) {
		fmt.Fprintln(columns, strings.Join(row, "\t")+"\t")
	}
	if err := columns.Flush(); err != nil {
		return err
	}
	for _, note := range t.notes {
		if _, err := fmt.Fprintln(w, note); err != nil {
			return err
		}
	}
	return nil
}

// writeMarkdown writes the table as GitHub's Markdown has it.
func (t table) writeMarkdown(w io.Writer) error {
	lines := []string{line(t.head), "| --- | --- |" + strings.Repeat(" ---: |", len(t.head)-2)}
	for _, row := range t.rows {
		lines = append(lines, line(row))
	}
	lines = append(lines, "")
	for _, note := range t.notes {
		lines = append(lines, "- "+note)
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

func line(cells []string) string {
	return "| " + strings.Join(cells, " | ") + " |"
}
