package cli

import (
	"io"
	"testing"

	"github.com/spf13/cobra"
)

func TestInspectArgsSayTheSameAgain(t *testing.T) {
	for _, want := range []InspectOptions{
		{File: "a.pcap"},
		{File: "-"},
		{File: "--json"},
		{File: "a b.pcap", JSON: true, Config: "--c.yaml"},
		{Live: "eth0", JSON: true},
	} {
		var got InspectOptions
		c := NewInspect(func(_ *cobra.Command, o InspectOptions) error {
			got = o
			return nil
		})
		if status := Execute(c, want.Args(), io.Discard, io.Discard); status != ExitOK || got != want {
			t.Errorf("%q: status %d, %+v, want %+v", want.Args(), status, got, want)
		}
	}
}
