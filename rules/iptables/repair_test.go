package iptables

import (
	"context"
	"errors"
	"ftpalg/rules/report"
	"testing"
	"testing/synctest"
	"time"
)

func TestARepairStopsAtTheFirstHopelessError(t *testing.T) {
	for _, hopelessly := range []error{report.ErrBusy, report.ErrNotPermitted, context.DeadlineExceeded} {
		inBubble(t, Options{CheckEvery: time.Hour}, func(t *testing.T, m *Filter, v4 *fake) {
			v4.flush(chain{tableFilter, chainInput})
			v4.flush(chain{tableNAT, chainPrerouting})
			tries := 0
			v4.set(func(_ int, op string) error {
				if op != "restore" {
					return nil
				}
				tries++
				return hopelessly
			}, "")
			checkNow(t, m)
			if tries != 1 {
				t.Errorf("%v: the repair tried %d times, want once", hopelessly, tries)
			}
		})
	}
}

func TestOneBadRuleKeepsNoOtherFromBeingRepaired(t *testing.T) {
	inBubble(t, Options{CheckEvery: time.Hour}, func(t *testing.T, m *Filter, v4 *fake) {
		whole := len(v4.about("-A FTPALG-INPUT"))
		v4.flush(chain{tableFilter, chainInput})
		v4.set(nil, "203.0.113.1/32")
		checkNow(t, m)
		if got := v4.about("-A FTPALG-INPUT"); len(got) != whole-1 {
			t.Errorf("repaired: %q, want all but one of %d", got, whole)
		}
	})
}

func TestATooLongCallIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := make(chan error)
		began := time.Now()
		err := bounded(func() error { return <-hung })
		if !errors.Is(err, context.DeadlineExceeded) || !isPermanent(err) || time.Since(began) != toolTimeout {
			t.Errorf("after %s: %v, want a hopeless error after %s", time.Since(began), err, toolTimeout)
		}
		close(hung)
		if err := bounded(func() error { return errFault }); err != errFault {
			t.Errorf("a quick call: %v, want its own error", err)
		}
	})
}
