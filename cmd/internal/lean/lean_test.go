package lean

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// The file-backed part of a process's resident memory (proc_pid_status(5)).
var fileBacked = regexp.MustCompile(`RssFile:\s+(\d+) kB`)

func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	found := fileBacked.FindSubmatch(status)
	if found == nil {
		t.Skip("this kernel does not tell file-backed memory apart")
	}
	kb, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kb
}

func TestForgettingTheStartGivesMemoryBackAndBreaksNothing(t *testing.T) {
	touch(t)
	before := resident(t)
	if err := ForgetStart(); err != nil {
		t.Fatal(err)
	}
	if after := resident(t); after >= before {
		t.Errorf("%d kB of the program are resident, %d before", after, before)
	}
	touch(t)
}

// touch runs code of several packages.
func touch(t *testing.T) {
	t.Helper()
	if !regexp.MustCompile(`(?i)^[a-z]+\p{L}*$`).MatchString("Straße") {
		t.Error("the program does not work")
	}
}

func TestOnlyReadOnlyPartsOfTheProgramAreDropped(t *testing.T) {
	for line, want := range map[string]bool{
		"00400000-00bfc000 r-xp 00000000 fe:00 123   /usr/bin/ftpalg":           true,
		"00bfc000-01508000 r--p 007fc000 fe:00 123   /usr/bin/ftpalg":           true,
		"01508000-01577000 rw-p 01108000 fe:00 123   /usr/bin/ftpalg":           false,
		"01577000-03ceb000 rw-p 00000000 00:00 0 ":                              false,
		"7f0000000000-7f0000001000 r--p 00000000 fe:00 9   /usr/share/zoneinfo": false,
		"00bfc000-01508000 r--s 007fc000 fe:00 123   /usr/bin/ftpalg":           false,
		"00400000-00bfc000 r-xp 00000000 00:00 0   /usr/bin/ftpalg":             false,
		"7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0          [vdso]":       false,
	} {
		if _, _, got := readOnly(line, "/usr/bin/ftpalg"); got != want {
			t.Errorf("%s: %t, want %t", line, got, want)
		}
	}
}
