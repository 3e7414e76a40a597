package daemon

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"ftpalg/cmd/internal/link"
)

// A connection that comes when nobody waits for it any more is closed: its
// server must not wait for a client that has gone.
func TestAnAnswerThatComesTooLateIsClosed(t *testing.T) {
	opener, end, err := link.Pair()
	if err != nil {
		t.Fatal(err)
	}
	ours, err := link.New(end)
	if err != nil {
		t.Fatal(err)
	}
	r := newRemote(ours, func(link.Record, *os.File) {})
	ended := make(chan error, 2)
	go func() { ended <- r.receive() }()
	requests := make(chan link.Record, 1)
	go func() { ended <- opener.Receive(func(m link.Record, _ *os.File) { requests <- m }) }()
	defer func() {
		opener.Close()
		ours.Close()
		<-ended
		<-ended
	}()

	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan error, 1)
	go func() {
		_, err := r.ask(ctx, link.Record{Op: link.OpenLog}, nil)
		asked <- err
	}()
	request := <-requests
	cancel()
	if err := <-asked; !errors.Is(err, context.Canceled) {
		t.Errorf("the question ended with %v", err)
	}
	here, there, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	if err := opener.SendFile(link.Record{Op: link.Answer, Request: request.Request}, there); err != nil {
		t.Fatal(err)
	}
	there.Close()
	here.SetReadDeadline(time.Now().Add(20 * time.Second))
	if n, err := here.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the descriptor is still open: %v", err)
	}
}
