package rules

import (
	"errors"
	"strings"
	"testing"
)

// The texts are those of iptables 1.8.9 in both generations.
func TestWhatTheToolsSayIsUnderstood(t *testing.T) {
	failed := errors.New("exit status 4")
	for _, c := range []struct {
		says string
		want error
	}{
		{"iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)\n", ErrNotPermitted},
		{"iptables-save v1.8.9 (legacy): Cannot initialize: Permission denied (you must be root)\n", ErrNotPermitted},
		{"Fatal: can't open lock file /run/xtables.lock: Permission denied\n", ErrNotPermitted},
		{"Another app is currently holding the xtables lock; still 1s 0us time ahead to have a chance to grab the lock...\nAnother app is currently holding the xtables lock. Stopped waiting after 5s.\n", ErrBusy},
		{"iptables-nft-restore v1.8.9 (nf_tables): Couldn't load match `nonsense':No such file or directory\n", ErrUnavailable},
		{"iptables v1.8.9 (legacy): can't initialize iptables table `nat': Table does not exist (do you need to insmod?)\nPerhaps iptables or your kernel needs to be upgraded.\n", ErrUnavailable},
		{"iptables v1.8.9 (nf_tables): table 'nat' does not exist\nPerhaps iptables or your kernel needs to be upgraded.\n", ErrUnavailable},
		{"iptables: Bad rule (does a matching rule exist in that chain?).\n", failed},
		{"", failed},
	} {
		err := toolError(c.says, failed)
		if !errors.Is(err, c.want) {
			t.Errorf("%q: %v, want %v", c.says, err, c.want)
		}
		if first, _, _ := strings.Cut(c.says, "\n"); !strings.Contains(err.Error(), first) {
			t.Errorf("%q: the tool's own words are lost: %v", c.says, err)
		}
	}
}

func TestAnOpErrorNamesTheAttempt(t *testing.T) {
	err := &OpError{Op: "append to", Table: "filter", Chain: "FTPALG-INPUT", Rule: "-p tcp -j ACCEPT", Err: ErrBusy}
	want := "rules: append to filter FTPALG-INPUT: -p tcp -j ACCEPT: another program holds the xtables lock"
	if err.Error() != want || !errors.Is(err, ErrBusy) {
		t.Errorf("%q, want %q", err, want)
	}
}

func TestTheRefusedLineIsNamed(t *testing.T) {
	text := "*filter\n-A X -j Y\nCOMMIT\n"
	for says, want := range map[string]string{
		"iptables-restore: line 2 failed":                     "-A X -j Y",
		"Couldn't load match; Error occurred at line: 2; Try": "-A X -j Y",
		"line 99 failed": "",
		"something else": "",
	} {
		if got := blamed(text, errors.New(says)); got != want {
			t.Errorf("blamed(%q) = %q, want %q", says, got, want)
		}
	}
}
