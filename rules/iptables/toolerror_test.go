package iptables

import (
	"errors"
	"ftpalg/rules/report"
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
		{"iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)\n", report.ErrNotPermitted},
		{"iptables-save v1.8.9 (legacy): Cannot initialize: Permission denied (you must be root)\n", report.ErrNotPermitted},
		{"Fatal: can't open lock file /run/xtables.lock: Permission denied\n", report.ErrNotPermitted},
		{"Another app is currently holding the xtables lock; still 1s 0us time ahead to have a chance to grab the lock...\nAnother app is currently holding the xtables lock. Stopped waiting after 5s.\n", report.ErrBusy},
		{"iptables-nft-restore v1.8.9 (nf_tables): Couldn't load match `nonsense':No such file or directory\n", report.ErrUnavailable},
		{"iptables v1.8.9 (legacy): can't initialize iptables table `nat': Table does not exist (do you need to insmod?)\nPerhaps iptables or your kernel needs to be upgraded.\n", report.ErrUnavailable},
		{"iptables v1.8.9 (nf_tables): table 'nat' does not exist\nPerhaps iptables or your kernel needs to be upgraded.\n", report.ErrUnavailable},
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
