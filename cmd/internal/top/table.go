package top

import (
	"ftpalg/cmd/internal/api"
	"strconv"
	"strings"
)

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// leastLast is the least width of the last column.
const leastLast = 16

// table renders the head and those rows that fit, the page with the chosen
// one among them.
func (m *Model) table(width, height int) []Line {
	rows := m.rows()
	cells := make([][]string, len(rows))
	for i := range rows {
		for _, c := range columns {
			cells[i] = append(cells[i], c.text(m, &rows[i]))
		}
	}
	widths := arrange(cells, width)
	out := []Line{m.head(widths).fit(width)}
	room := max(height-1, 1)
	at := m.position(rows)
	for i := at / room * room; i < min(at/room*room+room, len(rows)); i++ {
		style := Normal
		if i == at && height < unlimited {
			style = Chosen
		}
		out = append(out, line(row(cells[i], widths), style).fit(width))
	}
	if len(rows) == 0 {
		out = append(out, line(m.nothing(), Faint).fit(width))
	}
	return out
}

// nothing says why the table is empty.
func (m *Model) nothing() string {
	switch {
	case m.now.Err != nil:
		return ""
	case m.filter != "" && len(m.now.Sessions) > 0:
		return "  no session matches"
	}
	return "  no session is open"
}

// arrange returns the width of each column, 0 for those left out: each as
// wide as what it holds, and the last gets the rest.
func arrange(cells [][]string, width int) []int {
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = length(c.title) + 1 // with the mark of the order
		for _, r := range cells {
			widths[i] = max(widths[i], length(r[i]))
		}
	}
	last := len(columns) - 1
	for rank := highest(); rank > 0 && total(widths[:last])+leastLast > width; rank-- {
		for i, c := range columns {
			if c.rank == rank {
				widths[i] = 0
			}
		}
	}
	widths[last] = max(width-total(widths[:last]), 0)
	return widths
}

func highest() (rank int) {
	for _, c := range columns {
		rank = max(rank, c.rank)
	}
	return rank
}

// gap is what stands between columns, in blanks.
const gap = 2

func total(widths []int) (sum int) {
	for _, w := range widths {
		if w > 0 {
			sum += w + gap
		}
	}
	return sum
}

func row(cells []string, widths []int) string {
	var b strings.Builder
	for i, c := range columns {
		if widths[i] == 0 {
			continue
		}
		if i > 0 {
			b.WriteString(strings.Repeat(" ", gap))
		}
		b.WriteString(pad(cut(cells[i], widths[i]), widths[i], c.right))
	}
	return b.String()
}

// head renders the titles; that of the order has an arrow.
func (m *Model) head(widths []int) Line {
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.title
		if i == m.order {
			titles[i] += arrow(m.reverse)
		}
	}
	return line(row(titles, widths), Head)
}

func arrow(reverse bool) string {
	if reverse {
		return "▼"
	}
	return "▲"
}

// transferring counts the sessions that move data.
func transferring(all []api.Session) (n int) {
	for i := range all {
		if all[i].Transferring {
			n++
		}
	}
	return n
}
