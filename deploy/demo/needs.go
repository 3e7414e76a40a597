package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"ftpalg/deploy/lab"
)

// NeedError says what the demo needs and this machine or user lacks.
type NeedError struct {
	// Cause names it.
	Cause error
	// Remedy is a command that helps, or empty.
	Remedy string
}

// Error names what is missing, then what helps.
func (e *NeedError) Error() string {
	if e.Remedy == "" {
		return e.Cause.Error()
	}
	return fmt.Sprintf("%v; try: %s", e.Cause, e.Remedy)
}

// Unwrap returns the cause.
func (e *NeedError) Unwrap() error { return e.Cause }

// checkNeeds asks for the rights first: without them PATH often lacks the
// directory of the tools too.
func checkNeeds(ctx context.Context) error {
	n, err := lab.New(ctx, prefix)
	if err == nil {
		err = n.Close()
	}
	if unavailable := new(lab.UnavailableError); errors.As(err, &unavailable) {
		return &NeedError{Cause: unavailable, Remedy: becomeRoot()}
	}
	if err != nil {
		return err
	}
	return checkTools()
}

func becomeRoot() string {
	if os.Geteuid() == 0 {
		return "" // root already, in a container perhaps that withholds the rights
	}
	return "sudo make demo"
}

// tool is a Debian package with the programs of it that the demo runs.
type tool struct {
	pkg      string
	programs []string
}

func tools() []tool {
	return []tool{
		{"iptables", []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"}},
		{"iproute2", []string{"ip"}},
	}
}

func checkTools() error {
	var missing, packages []string
	for _, t := range tools() {
		if absent := notFound(t.programs); len(absent) > 0 {
			missing = append(missing, absent...)
			packages = append(packages, t.pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &NeedError{
		Cause:  fmt.Errorf("the demo needs what is not in PATH: %s", strings.Join(missing, ", ")),
		Remedy: "apt-get install " + strings.Join(packages, " "),
	}
}

func notFound(programs []string) (absent []string) {
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			absent = append(absent, program)
		}
	}
	return absent
}
