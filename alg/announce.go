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
func (s *session) promise(a dialogue.Announcement) (told, error) {
	t, err := tell(s.ends, a, s.settings, s.g.promises.pool)
	if err == nil {
		t.want.ID, t.want.Session = s.g.promises.name(), s.number
		t.want.Until = time.Now().Add(s.settings.PinholeTimeout)
		if err = s.g.kernel.Open(s.ctx, t.want); err != nil {
			s.g.promises.forget(t)
		}
	}
	if err != nil {
		s.log.Warn("data connection cannot be promised", "event", "promise_failed", "mode", a.Mode, "at", a.At, "error", err)
		return t, err
	}
	s.g.promises.add(t, s.transferring.Load)
	s.announced.Add(1)
	s.log.Debug("data connection promised", "event", "promised", "mode", a.Mode,
		"said", a.Said, "at", a.At, "told", t.text, "from", t.want.From, "to", t.want.To, "seen", t.want.Seen)
	return t, nil
}

// remember joins a promise to its announcement, so that the dialogue's word
// ends it. The caller holds mu.
func (s *session) remember(a dialogue.Announcement, t told) {
	s.promised = append(s.promised, promised{a.Number, t.want.ID})
}

// endPromises withdraws the promises of those announcements which ended
// accepts. The caller holds mu or is the last to run.
func (s *session) endPromises(ended func(number uint64) bool) {
	kept := s.promised[:0]
	for _, p := range s.promised {
		if ended(p.number) {
			s.g.promises.end(p.id)
		} else {
			kept = append(kept, p)
		}
	}
	s.promised = kept
}
