package report

import (
	"errors"
	"testing"
)

func TestAnOpErrorNamesTheAttempt(t *testing.T) {
	err := &OpError{Op: "append to", Table: "filter", Chain: "FTPALG-INPUT", Rule: "-p tcp -j ACCEPT", Err: ErrBusy}
	want := "rules: append to filter FTPALG-INPUT: -p tcp -j ACCEPT: another program holds the xtables lock"
	if err.Error() != want || !errors.Is(err, ErrBusy) {
		t.Errorf("%q, want %q", err, want)
	}
}
