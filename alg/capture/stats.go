package capture

import "errors"

// Stats counts what a capture holds.
type Stats struct {
	// Frames are the packets read, Undecoded those that could not be taken
	// apart, and Link the first link type that cannot be, with its frames.
	Frames, Undecoded uint64
	Link              LinkType
	LinkFrames        uint64
	// Segments are those of TCP, Snapped those of which the snap length cut
	// something off.
	Segments, Snapped uint64
	// Connections counts those of TCP, Sessions those that are FTP, TLS those
	// that are encrypted from the beginning, on ports of FTPS ImplicitFTPS.
	Connections, Sessions, TLS, ImplicitFTPS uint64
	// Announcements counts the lines that announce a data connection.
	Announcements uint64
	// Evicted counts connections that were forgotten to make room.
	Evicted uint64
}

func (a *Analyzer) undecoded(f Frame, err error) {
	a.stats.Undecoded++
	if errors.Is(err, errLink) {
		a.stats.LinkFrames++
		if a.stats.LinkFrames == 1 {
			a.stats.Link = f.Link
		}
	}
}

// encrypted reports, and counts, whether a connection begins with TLS.
func (a *Analyzer) encrypted(s *suspect, side int, data []byte) bool {
	if len(data) < 3 || data[0] != 0x16 || data[1] != 3 || !s.silent(side) {
		return false
	}
	a.stats.TLS++
	for _, end := range s.conn.ends {
		if end.Port() == 990 {
			a.stats.ImplicitFTPS++
			break
		}
	}
	return true
}
