package capture_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ftpalg/alg/capture/capturetest"
)

// twoFamilies is a capture with a session over IPv4 and one over IPv6, and
// what is to be found in it.
func twoFamilies() (*capturetest.Tape, []finding) {
	tape := capturetest.NewTape()
	four := login(tape.Conn("198.51.100.7:40001", "203.0.113.1:2121"))
	four.ClientSays("PASV\r\n")
	pasv := four.ServerSays("227 Entering Passive Mode (203,0,113,1,195,80).\r\n")
	six := login(tape.Conn("[2001:db8:1::7]:40001", "[2001:db8:2::1]:21"))
	eprt := six.ClientSays("EPRT |2|2001:db8:1::7|5001|\r\n")
	six.ServerSays("200 EPRT\r\n")
	return tape, []finding{
		{1, uint64(pasv), "PASV 203.0.113.1:50000"},
		{2, uint64(eprt), "EPRT [2001:db8:1::7]:5001"},
	}
}

func TestEveryLinkTypeInEveryFormat(t *testing.T) {
	tape, want := twoFamilies()
	for _, link := range capturetest.Links {
		for _, format := range capturetest.Formats {
			t.Run(link.Name+" in "+format.Name, func(t *testing.T) {
				got := inspect(t, format.Write(tape.Packets, link, 0))
				if diff := cmp.Diff(want, got.findings); diff != "" || got.err != nil {
					t.Errorf("error %v, findings (-want +got):\n%s", got.err, diff)
				}
				for _, a := range got.announcements {
					if at := tape.Packets[a.Frame-1].Time; !a.Time.Equal(at.Truncate(1000)) {
						t.Errorf("frame %d is of %s, want %s", a.Frame, a.Time, at)
					}
				}
			})
		}
	}
}
