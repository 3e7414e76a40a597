package alg

import (
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
)

// promised joins the dialogue's number of an announcement to the promise made
// for it.
type promised struct {
	number uint64
	id     expect.ID
}

// promise makes the promise of an announcement: when it returns, the kernel
// has confirmed it.
func (s *session) promise(a *dialogue.Announcement) (told, error) {
	t, err := tell(s.ends, a, s.settings, s.g.promises.pool)
	done := Announced{Session: s.number, Mode: a.Mode, Result: resultOf(a, t)}
	if err == nil {
		t.want.ID, t.want.Session = s.g.promises.name(), s.number
		err = s.open(&t, &done)
	}
	if err != nil {
		done.Result, done.Cause = Unpromised, causeOf(err)
		s.g.observer.Announced(done)
		s.log.Warn("data connection cannot be promised", "event", "promise_failed", "mode", a.Mode, "at", a.At, "error", err)
		return t, err
	}
	s.g.data.add(&s.data, t.want)
	s.g.promises.add(t, s.transferring.Load)
	s.announced.Add(1)
	s.modes.add(a.Mode)
	s.g.observer.Announced(done)
	s.log.Debug("data connection promised", "event", "promised", "mode", a.Mode,
		"said", a.Said, "at", a.At, "told", t.text, "from", t.want.From, "to", t.want.To, "seen", t.want.Seen)
	return t, nil
}

// open has the kernel open t, and gives its port back if it does not.
func (s *session) open(t *told, done *Announced) error {
	began := time.Now()
	t.want.Until = began.Add(s.settings.PinholeTimeout)
	err := s.g.kernel.Open(s.ctx, t.want)
	done.Opening = time.Since(began)
	if err != nil {
		s.g.promises.forget(*t)
		s.g.observer.PromiseEnded(PromiseEnd{Session: s.number, Pinhole: t.want.ID, Mode: t.want.Mode, End: EndFailed})
	}
	return err
}

// resultOf says whether the other side reads what was announced.
func resultOf(a *dialogue.Announcement, t told) Result {
	if t.text.Port() == a.At.Port() && (t.text.Addr() == a.Said || !a.Said.IsValid()) {
		return Unchanged
	}
	return Replaced
}

// remember joins a promise to its announcement, so that the dialogue's word
// ends it. The caller holds mu.
func (s *session) remember(a *dialogue.Announcement, t told) {
	s.promised = append(s.promised, promised{a.Number, t.want.ID})
}

// endPromises withdraws the promises of those announcements which the drop
// ends. The caller holds mu.
func (s *session) endPromises(d dialogue.Drop) {
	how := endOf(d.By)
	kept := s.promised[:0]
	for _, p := range s.promised {
		if d.Ends(p.number) {
			s.g.promises.end(p.id, how)
		} else {
			kept = append(kept, p)
		}
	}
	s.promised = kept
}

// endAllPromises withdraws all promises: nobody speaks of them any more. The
// caller holds mu or is the last to run.
func (s *session) endAllPromises() {
	for _, p := range s.promised {
		s.g.promises.end(p.id, EndClosed)
	}
	s.promised = nil
}

func endOf(e dialogue.Ending) End {
	switch e {
	case dialogue.Used:
		return EndUsed
	case dialogue.Superseded:
		return EndReplaced
	}
	return EndClosed
}
