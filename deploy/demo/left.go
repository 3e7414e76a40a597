package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ftpalg/deploy/lab"
)

// settlePatience is how long used pinholes may take to go.
const settlePatience = 5 * time.Second

// left is what a gateway left behind.
type left struct {
	scene    int
	pinholes []string // after the last session, while the gateway still ran
	after    traces   // after its end
}

// settle waits until nothing is open, ends the gateway, and looks again.
func (st *stage) settle(ctx context.Context, g *gateway, before traces) (l left, err error) {
	if l.pinholes, err = awaitClosed(ctx, st.Gateway, g); err != nil {
		return l, err
	}
	if err := g.stop(); err != nil {
		return l, err
	}
	now, err := findTraces(ctx, st.Gateway)
	l.after = now.since(before)
	return l, err
}

// awaitClosed returns the pinholes and the rules of pinholes that are still
// there when patience ends.
func awaitClosed(ctx context.Context, h *lab.Host, g *gateway) ([]string, error) {
	deadline := time.Now().Add(settlePatience)
	for {
		open, err := openPinholes(ctx, h, g)
		if err != nil || len(open) == 0 || time.Now().After(deadline) {
			return open, err
		}
		time.Sleep(pollEvery)
	}
}

func openPinholes(ctx context.Context, h *lab.Host, g *gateway) (open []string, err error) {
	promised, err := g.pinholes(ctx)
	if err != nil {
		return nil, g.explain(err)
	}
	for _, p := range promised {
		open = append(open, fmt.Sprintf("pinhole from %s to %s", p.From, p.To))
	}
	now, err := findTraces(ctx, h)
	ofPinholes := keep(now.rules, func(line string) bool { return strings.Contains(line, pinholeTag) })
	return append(open, ofPinholes...), err
}

// judge returns an error that shows everything that is left.
func (l left) judge() error {
	all := slices.Concat(l.pinholes, l.after.rules, l.after.routes)
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("the gateway left behind: %s", strings.Join(all, "; "))
}

// leftovers shows a table with a line for each gateway.
func (s *story) leftovers() {
	const format = "    %-8s  %-18s  %-18s  %s"
	s.page.line(fmt.Sprintf(format, "gateway", "pinholes and their", "chains and rules", "policy rules and"))
	s.page.line(fmt.Sprintf(format, "of scene", "rules, at the end", "after SIGTERM", "routes after it"))
	for _, l := range s.left {
		s.page.line(fmt.Sprintf(format, strconv.Itoa(l.scene), count(l.pinholes), count(l.after.rules), count(l.after.routes)))
	}
}

func count(lines []string) string {
	if len(lines) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d left", len(lines))
}
