package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLogrotateRotatesTheTransferLog has logrotate(8) do what the shipped file
// says to a transfer log elsewhere, with a systemctl that only writes down
// what it was asked for.
func TestLogrotateRotatesTheTransferLog(t *testing.T) {
	logrotate := requireTool(t, "logrotate")
	dir := t.TempDir()
	log := filepath.Join(dir, "xferlog")
	config := filepath.Join(dir, "config")
	asked := filepath.Join(dir, "asked")
	for name, text := range map[string]string{
		config:                          strings.ReplaceAll(read(t, deploy, "logrotate.d", "ftpalg"), "/var/log/ftpalg/xferlog", log),
		log:                             "a line\n",
		filepath.Join(dir, "systemctl"): "#!/bin/sh\necho \"$@\" >>" + asked + "\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "systemctl"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(logrotate, "--debug", config).CombinedOutput(); err != nil || strings.Contains(string(out), "error:") {
		t.Fatalf("the file is faulty: %v\n%s", err, out)
	}
	rotate := exec.Command(logrotate, "--force", "--state", filepath.Join(dir, "state"), config)
	rotate.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	if out, err := rotate.CombinedOutput(); err != nil {
		t.Fatalf("rotate: %v\n%s", err, out)
	}
	if text, err := os.ReadFile(log + ".1"); err != nil || string(text) != "a line\n" {
		t.Errorf("the old file holds %q, %v", text, err)
	}
	if _, err := os.Stat(log); err == nil {
		t.Error("logrotate made the new file, which is the gateway's work")
	}
	if text, err := os.ReadFile(asked); err != nil || string(text) != "kill --kill-who=main --signal=USR1 ftpalg.service\n" {
		t.Errorf("systemctl was asked for %q, %v", text, err)
	}
}
