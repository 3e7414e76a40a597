package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// story is one telling of the demo.
type story struct {
	page    *page
	program string
	failed  int    // transfers that failed without the gateway, as they must
	moved   int    // transfers that went through it
	left    []left // what each gateway left, in the order of the scenes
	unclean error  // what could not be cleared away
}

func (s *story) opening() {
	s.page.line(s.page.in(bold, "FTP through NAT and a closed firewall"))
	s.page.line("")
	s.page.paragraph(0, `Three hosts in network namespaces of their own: a client, a gateway, a small FTP
		server that knows nothing of NAT. The firewall is the kernel's, its policy is DROP.`)
}

// scenes plays one scene after the other, also after one that failed, and
// returns the failures. It breaks off when ctx ends.
func (s *story) scenes(ctx context.Context) (failures []error) {
	all := scenes()
	for i, scene := range all {
		s.title(i+1, scene.title)
		err := s.play(ctx, i+1, scene)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.failure(err)
			failures = append(failures, fmt.Errorf("scene %d (%s): %w", i+1, scene.title, err))
		}
	}
	s.title(len(all)+1, "Nothing is left open")
	s.leftovers()
	return failures
}

// play sets the stage of a scene, performs on it, and clears it away.
func (s *story) play(ctx context.Context, number int, sc scene) error {
	s.page.lines(2, plain, sc.hosts.String())
	s.page.line("")
	s.page.paragraph(2, sc.intro)
	st, err := setStage(ctx, sc)
	if err != nil {
		return err
	}
	defer func() { s.unclean = errors.Join(s.unclean, st.close()) }()
	if sc.listeners == "" {
		return s.withoutGateway(ctx, st)
	}
	return s.throughGateway(ctx, number, st)
}

func (s *story) title(number int, title string) {
	s.page.line("")
	s.page.line("")
	s.page.line(s.page.in(bold, fmt.Sprintf("%d  %s", number, title)))
	s.page.line("")
}

func (s *story) failure(err error) {
	s.page.line("")
	s.page.line(s.page.in(bad, "  FAILED"))
	for line := range strings.Lines(err.Error()) {
		s.page.paragraph(4, line)
	}
	if explained := new(gatewayError); errors.As(err, &explained) {
		s.page.line("    the gateway's log ends:")
		for _, line := range explained.log {
			s.page.paragraph(6, line)
		}
	}
}

// ending is the last word where everything went well.
func (s *story) ending(took time.Duration) {
	s.page.line("")
	s.page.line(s.page.in(good, fmt.Sprintf("%d transfers through the gateway, %d that fail without it: all as it should be.",
		s.moved, s.failed)))
	s.page.line(fmt.Sprintf("It took %.1f s.", took.Seconds()))
}
