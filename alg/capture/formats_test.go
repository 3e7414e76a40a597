package capture_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"ftpalg/alg/capture"
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

// Another program's files: gopacket's own writers, with two interfaces of
// different link types in the pcapng file.
func TestFilesOfGopacket(t *testing.T) {
	tape, want := twoFamilies()
	var plain, ng bytes.Buffer
	w := pcapgo.NewWriter(&plain)
	try(t, w.WriteFileHeader(65536, layers.LinkTypeEthernet))
	n, err := pcapgo.NewNgWriterInterface(&ng, pcapgo.NgInterface{Name: "tun0", LinkType: layers.LinkTypeRaw, SnapLength: 65536}, pcapgo.DefaultNgWriterOptions)
	try(t, err)
	other, err := n.AddInterface(pcapgo.NgInterface{Name: "eth0", LinkType: layers.LinkTypeEthernet, SnapLength: 65536})
	try(t, err)
	for i, p := range tape.Packets {
		frame := capturetest.Ethernet.Frame(p.Data)
		info := gopacket.CaptureInfo{Timestamp: p.Time, CaptureLength: len(frame), Length: len(frame)}
		try(t, w.WritePacket(info, frame))
		if info.InterfaceIndex = other; i%2 == 0 {
			info.InterfaceIndex, frame = 0, p.Data
			info.CaptureLength, info.Length = len(frame), len(frame)
		}
		try(t, n.WritePacket(info, frame))
	}
	try(t, n.Flush())
	for name, file := range map[string][]byte{"pcap": plain.Bytes(), "pcapng": ng.Bytes()} {
		if diff := cmp.Diff(want, inspect(t, file).findings); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Wherever a file ends, what came before is found, and the error says where.
func TestFilesThatEndTooEarly(t *testing.T) {
	tape, want := twoFamilies()
	for _, format := range capturetest.Formats {
		file := format.Write(tape.Packets, capturetest.Ethernet, 0)
		for n := 0; n < len(file); n += 97 {
			r, err := capture.NewReader(bytes.NewReader(file[:n]))
			if err != nil {
				continue
			}
			frames := uint64(0)
			for err == nil {
				var f capture.Frame
				if f, err = r.Next(); err == nil {
					frames = f.Number
				}
			}
			var damage *capture.DamageError
			if !errors.Is(err, io.EOF) && (!errors.As(err, &damage) || damage.Frame != frames+1) {
				t.Errorf("%s, %d bytes, behind packet %d: %v", format.Name, n, frames, err)
			}
		}
		got := inspect(t, file[:len(file)-5])
		if got.err == nil || len(got.findings) == 0 || got.findings[0] != want[0] {
			t.Errorf("%s: %v, %v", format.Name, got.findings, got.err)
		}
	}
}

func TestFilesThatMakeNoSense(t *testing.T) {
	tape, _ := twoFamilies()
	spoil := func(format string, at int, with ...byte) []byte {
		i := slices.IndexFunc(capturetest.Formats, func(f capturetest.Format) bool { return f.Name == format })
		file := capturetest.Formats[i].Write(tape.Packets, capturetest.Ethernet, 0)
		copy(file[at:], with)
		return file
	}
	tests := map[string]struct {
		file []byte
		want string
	}{
		"a packet of 2 GB":        {spoil("pcap", 24+8, 0, 0, 0, 0x7f), "packet 1, at byte 24: a length of 2130706432 bytes makes no sense"},
		"a block of 3 bytes":      {spoil("pcapng", 28+4, 3, 0, 0, 0), "packet 1, at byte 28: a block of 3 bytes"},
		"no byte order":           {spoil("pcapng", 8, 1, 2, 3, 4), "packet 1, at byte 0: section header: no byte-order magic"},
		"an interface of nowhere": {spoil("pcapng", 112+8, 9), "packet 1, at byte 112: a packet of interface 9, where 2 are described"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := inspect(t, test.file); got.err == nil || got.err.Error() != test.want {
				t.Errorf("%v, want %s", got.err, test.want)
			}
		})
	}
	for _, text := range []string{"", "abc", "not a capture at all", "\x1f\x8bnot gzip"} {
		if _, err := capture.NewReader(strings.NewReader(text)); err == nil {
			t.Errorf("%q is taken for a capture", text)
		}
	}
}
