package doctor

import "fmt"

// Severity says how much a Finding matters.
type Severity string

// The severities: with a Problem something the configuration asks for does
// not work; a Warning may come to that, or leaves something unseen; Good was
// looked at and is as it should be.
const (
	Problem Severity = "problem"
	Warning Severity = "warning"
	Good    Severity = "good"
)

// Finding is one thing that was looked at.
type Finding struct {
	// ID names the check and does not change between versions. Several
	// findings may have the same, one for each object.
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	// What was found, in one sentence.
	What string `json:"what"`
	// Why it matters; empty where nothing is wrong.
	Why string `json:"why"`
	// Mend is the command that mends it, as it can be pasted into a shell. A
	// word in capitals stands for what only the operator knows.
	Mend string `json:"mend"`
}

func good(id, format string, args ...any) Finding {
	return Finding{ID: id, Severity: Good, What: fmt.Sprintf(format, args...)}
}

// problem and warn begin a finding; because and by complete it.
func problem(id, format string, args ...any) Finding {
	return Finding{ID: id, Severity: Problem, What: fmt.Sprintf(format, args...)}
}

func warn(id, format string, args ...any) Finding {
	return Finding{ID: id, Severity: Warning, What: fmt.Sprintf(format, args...)}
}

func (f Finding) because(why string) Finding {
	f.Why = why
	return f
}

func (f Finding) by(format string, args ...any) Finding {
	f.Mend = fmt.Sprintf(format, args...)
	return f
}

// as returns the finding with another severity.
func (f Finding) as(s Severity) Finding {
	f.Severity = s
	return f
}
