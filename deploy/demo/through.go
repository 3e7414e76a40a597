package main

import (
	"context"
	"errors"

	"ftpalg/deploy/lab/ftp"
)

// throughGateway shows the scene's transfers, and takes down what the gateway
// left afterwards.
func (s *story) throughGateway(ctx context.Context, number int, st *stage) error {
	s.page.line("")
	s.page.line("    ftpalg.yaml")
	s.page.lines(6, faint, st.scene.listeners)
	before, err := findTraces(ctx, st.Gateway)
	if err != nil {
		return err
	}
	g, err := startGateway(ctx, st.Gateway, s.program, st.scene.listeners, st.dir)
	if err != nil {
		return err
	}
	if err := s.transfers(ctx, st); err != nil {
		return g.explain(err)
	}
	l, err := st.settle(ctx, g, before)
	if err != nil {
		return err
	}
	l.scene = number
	s.left = append(s.left, l)
	return l.judge()
}

// transfers shows one transfer in each mode of the scene: a download, then
// an upload.
func (s *story) transfers(ctx context.Context, st *stage) error {
	c, err := st.connect(ctx)
	if err != nil {
		return err
	}
	for i, mode := range st.scene.modes {
		if err := s.show(st, c, mode, i%2 == 1); err != nil {
			return errors.Join(err, c.Close())
		}
	}
	return c.Quit()
}

func (s *story) show(st *stage, c *ftp.Client, m ftp.Mode, upload bool) error {
	t, err := st.transfer(c, m, upload)
	s.page.transfer(t, st.scene.iptables.name, err == nil)
	if err == nil {
		s.moved++
	}
	return err
}
