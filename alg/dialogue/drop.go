package dialogue

// Drop says which announcements have ended with a line. The zero Drop ends
// none.
type Drop struct {
	// Below ends every announcement with a smaller number.
	Below uint64
	// Only ends the announcement of this number; 0 ends none.
	Only uint64
	// By says how they ended.
	By Ending
}

// Ending says how announcements end.
type Ending uint8

const (
	// Withdrawn: their command was refused, or the session takes them back.
	Withdrawn Ending = iota
	// Superseded by a later announcement.
	Superseded
	// Used by a transfer that has finished.
	Used
)

// Ends reports whether the announcement of this number has ended.
func (d Drop) Ends(number uint64) bool { return number < d.Below || number == d.Only }
