package capture

import "time"

// Frame is one packet as it was recorded.
type Frame struct {
	// Number counts the packets of a capture from 1.
	Number uint64
	// Time is when it was recorded; the zero Time if the capture has none.
	Time time.Time
	// Link is the type of its link layer.
	Link LinkType
	// Data is what was recorded of it, good until the next frame is read;
	// Length is its length on the wire in bytes.
	Data   []byte
	Length int
}

// LinkType says what the first header of a frame is
// (https://www.tcpdump.org/linktypes.html).
type LinkType uint16
