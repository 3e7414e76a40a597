package doctor

import (
	"fmt"
	"io"
	"strings"
)

// width is the most columns that a line takes, but for commands, which are
// never broken; what is said of a finding begins at column.
const (
	width  = 100
	column = 9
)

// Print writes the findings for people, and how many there are of each
// severity.
func Print(w io.Writer, all []Finding) error {
	count := map[Severity]int{}
	var b strings.Builder
	for _, f := range all {
		count[f.Severity]++
		fmt.Fprintf(&b, "%-*s%s\n", column, f.Severity, fill(f.What+" ["+f.ID+"]"))
		if f.Why != "" {
			fmt.Fprintf(&b, "%*s%s\n", column, "", fill(f.Why))
		}
		if f.Mend != "" {
			fmt.Fprintf(&b, "%*smend: %s\n", column, "", f.Mend)
		}
	}
	fmt.Fprintf(&b, "\n%s, %s, %d good\n", counted(count[Problem], "problem"), counted(count[Warning], "warning"), count[Good])
	_, err := io.WriteString(w, b.String())
	return err
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// fill breaks a text that begins at column between its words.
func fill(text string) string {
	var b strings.Builder
	at := column
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case at+1+len(word) > width:
			b.WriteString("\n" + strings.Repeat(" ", column))
			at = column
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	return b.String()
}
