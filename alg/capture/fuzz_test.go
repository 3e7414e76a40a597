package capture_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ftpalg/alg/capture"
	"ftpalg/alg/capture/capturetest"
)

// FuzzFile inspects anything as a file: it must end, with whatever was found.
func FuzzFile(f *testing.F) {
	tape, _ := twoFamilies()
	for _, format := range capturetest.Formats {
		for _, link := range capturetest.Links[:5] {
			f.Add(format.Write(tape.Packets, link, 0))
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := capture.NewReader(bytes.NewReader(file))
		if err != nil {
			return
		}
		a := capture.NewAnalyzer(capture.Options{Announced: func(a *capture.Announcement) { a.Data() }})
		for {
			frame, err := r.Next()
			var damage *capture.DamageError
			if err != nil && !errors.Is(err, io.EOF) && !errors.As(err, &damage) {
				t.Fatalf("an error of another kind: %v", err)
			}
			if err != nil {
				break
			}
			if len(frame.Data) > frame.Length || len(frame.Data) != cap(frame.Data) {
				t.Fatalf("%d bytes of %d, room for %d", len(frame.Data), frame.Length, cap(frame.Data))
			}
			a.Add(frame)
		}
		a.Finish()
	})
}

// FuzzFrame inspects anything as a frame of any link type, between frames that
// are well.
func FuzzFrame(f *testing.F) {
	tape, _ := twoFamilies()
	for _, link := range capturetest.Links {
		for _, p := range tape.Packets[:12] {
			f.Add(link.Type, link.Frame(p.Data))
		}
	}
	f.Fuzz(func(t *testing.T, link uint16, data []byte) {
		a := capture.NewAnalyzer(capture.Options{})
		for n := range uint64(3) {
			a.Add(capture.Frame{Number: n + 1, Time: time.Unix(int64(n), 0), Link: capture.LinkType(link), Data: slices.Clip(data), Length: len(data)})
		}
		a.Finish()
	})
}

// FuzzSegments disturbs two known sessions as the input says, and holds what
// is found against what was said.
func FuzzSegments(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) { truth(t, rand.NewPCG(a, b).Uint64(), 3) })
}
