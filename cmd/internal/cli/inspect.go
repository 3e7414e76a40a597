package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

// InspectOptions are what the command line of inspect says.
type InspectOptions struct {
	// Config is the file of a configuration, empty for none.
	Config string
	// JSON asks for one JSON object a line.
	JSON bool
	// Live is an interface; otherwise File is a capture file, - for the
	// standard input.
	Live, File string
}

// NewInspect returns the command inspect, which ftpalg and ftpalg-inspect both
// have; run carries it out.
func NewInspect(run func(*cobra.Command, InspectOptions) error) *cobra.Command {
	var o InspectOptions
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Say what a capture shows, and why a transfer failed",
		Long: "inspect reads a capture (pcap or pcapng, gzipped or not; - is the standard input), finds the FTP sessions in it on\n" +
			"whatever port, and says for each what was announced, whether the other side could reach that, and what became of\n" +
			"the data connection. With --config it also says what ftpalg would have told the other side. It exits with 1 if the\n" +
			"capture cannot be read to its end.",
		Args: func(_ *cobra.Command, args []string) error {
			if want := 1; (o.Live == "") != (len(args) == want) || len(args) > want {
				return &MisuseError{errors.New("inspect: name one capture file, or an interface with --live")}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.File = args[0]
			}
			return run(c, o)
		},
	}
	c.Flags().StringVarP(&o.Config, "config", "c", "", "also say what ftpalg would have told with this configuration `file`")
	c.Flags().BoolVar(&o.JSON, "json", false, "print one JSON object a line for each line that announces a data connection")
	c.Flags().StringVar(&o.Live, "live", "", "inspect what passes an `interface`, until interrupted")
	return c
}

// Args returns a command line that says o.
func (o InspectOptions) Args() []string {
	var args []string
	if o.Config != "" {
		args = append(args, "--config", o.Config)
	}
	if o.JSON {
		args = append(args, "--json")
	}
	if o.Live != "" {
		return append(args, "--live", o.Live)
	}
	return append(args, "--", o.File)
}
