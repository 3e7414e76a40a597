package doctor

import (
	"fmt"
	"io"
	"strings"

	"ftpalg/cmd/internal/wrap"
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
		fmt.Fprintf(&b, "%-*s%s\n", column, f.Severity, wrap.Text(f.What+" ["+f.ID+"]", column, width))
		if f.Why != "" {
			fmt.Fprintf(&b, "%*s%s\n", column, "", wrap.Text(f.Why, column, width))
		}
		if f.Mend != "" {
			fmt.Fprintf(&b, "%*sfix: %s\n", column, "", f.Mend)
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
