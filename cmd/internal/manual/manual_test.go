package manual

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/config"
)

// rendered is a page as man shows it; what man warns of fails.
func rendered(t *testing.T, write func(*bytes.Buffer) error) string {
	t.Helper()
	var page bytes.Buffer
	if err := write(&page); err != nil {
		t.Fatal(err)
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		return page.String() // the source is looked at instead
	}
	c := exec.Command(groff, "-ww", "-man", "-Tascii", "-P-cbou")
	c.Stdin = &page
	var out, warnings bytes.Buffer
	c.Stdout, c.Stderr = &out, &warnings
	if err := c.Run(); err != nil || warnings.Len() > 0 {
		t.Errorf("groff: %v\n%s", err, warnings.String())
	}
	return out.String()
}

func TestEveryKeyIsInTheManual(t *testing.T) {
	text := rendered(t, func(b *bytes.Buffer) error { return Configuration(b) })
	for _, k := range config.Keys() {
		if !strings.Contains(text, k.Path) {
			t.Errorf("%s is missing", k.Path)
		}
	}
}

func TestTheExampleIsGood(t *testing.T) {
	if _, err := config.Parse("example", []byte(example)); err != nil {
		t.Error(err)
	}
}

func TestEveryCommandIsInTheManual(t *testing.T) {
	root := &cobra.Command{Use: "ftpalg", Short: "FTP through NAT", Long: ".a line that begins with a dot\n'and another"}
	shown := &cobra.Command{Use: "show FILE", Short: "Show it", Run: func(*cobra.Command, []string) {}}
	shown.Flags().StringP("config", "c", "/etc/x-y", "configuration `file`")
	root.AddCommand(shown, &cobra.Command{Use: "hidden", Short: "Hide it", Hidden: true, Run: func(*cobra.Command, []string) {}})
	text := rendered(t, func(b *bytes.Buffer) error { return Commands(b, root) })
	text = strings.NewReplacer(`\-`, "-", "‐", "-", `\fB`, "", `\fR`, "").Replace(text)
	for _, want := range []string{"show FILE", "-c, --config FILE", "Configuration file (/etc/x-y).", ".a line that begins with a dot", "'and another"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "Hide it") {
		t.Error("a hidden command is shown")
	}
}
