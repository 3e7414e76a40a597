package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"

	"ftpalg/deploy/lab"
)

// The arguments with which a program is started again.
const (
	clientRole = "bench-client"
	serverRole = "bench-server"
	relayRole  = "bench-relay"
)

// threads is how many goroutines may run, or wait in a system call, without
// the runtime moving others out of their way: more than a Job's Sessions.
const threads = 128

// Main plays the part that the program's arguments ask for and ends the
// process. It returns where they ask for none.
func Main() {
	if len(os.Args) != 3 {
		return
	}
	var err error
	switch os.Args[1] {
	case clientRole:
		runtime.GOMAXPROCS(threads)
		debug.SetGCPercent(-1) // a job is short
		err = obeyJob(os.Args[2])
	case serverRole:
		err = serveAt(os.Args[2])
	case relayRole:
		err = relayBetween(os.Args[2])
	default:
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serveAt(text string) error {
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		return err
	}
	return Serve(at)
}

// obeyJob prints the result and keeps every idle session until standard input
// ends.
func obeyJob(text string) error {
	var job Job
	if err := json.Unmarshal([]byte(text), &job); err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	result, err := Do(job)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		return fmt.Errorf("print result: %w", err)
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// Server prepares the server as a process on a host.
func Server(ctx context.Context, on *lab.Host, at netip.AddrPort) (*lab.Command, error) {
	return again(ctx, on, serverRole, at.String())
}

func again(ctx context.Context, on *lab.Host, role, argument string) (*lab.Command, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find our own program: %w", err)
	}
	return on.Command(ctx, program, role, argument), nil
}

// Clients prepares clients that do a job, as a process on a host, for Attend.
func Clients(ctx context.Context, on *lab.Host, job Job) (*lab.Command, error) {
	text, err := json.Marshal(job)
	if err != nil {
		return nil, fmt.Errorf("write job: %w", err)
	}
	return again(ctx, on, clientRole, string(text))
}
