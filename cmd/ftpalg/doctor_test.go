package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"ftpalg/cmd/internal/cli"
)

func TestDoctorExitsWith1WhereSomethingIsWrong(t *testing.T) {
	out, errs, status := runLine(t, "doctor", "--config", write(t, goodConfig)) // whose addresses nobody has
	if status != cli.ExitFailed || errs != "" || !strings.Contains(out, "203.0.113.1 is no address of this machine [listen-address]") {
		t.Errorf("status %d, %q, %q", status, errs, out)
	}
}

func TestDoctorAsJSON(t *testing.T) {
	out, _, _ := runLine(t, "doctor", "--json", "--config", write(t, goodConfig))
	var got []struct{ ID, Severity, What, Why, Mend string }
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, f := range got {
		if f.ID == "listen-address" && f.Severity == "problem" && f.What != "" && f.Why != "" && strings.HasPrefix(f.Mend, "ip address add 203.0.113.1/32 dev ") {
			return
		}
	}
	t.Errorf("no listen-address in %s", out)
}

func TestDoctorOfAFileThatIsNotThere(t *testing.T) {
	if _, errs, status := runLine(t, "doctor", "--config", filepath.Join(t.TempDir(), "none.yaml")); status != cli.ExitFailed || !strings.Contains(errs, "none.yaml") {
		t.Errorf("status %d, %q", status, errs)
	}
}
