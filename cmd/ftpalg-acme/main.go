// Command ftpalg-acme has the certificates of listeners come from an authority.
// `ftpalg run` executes it as an unprivileged user; it is a program of its own, so
// that the gateway does not carry an HTTP client, nor the root process what it reads.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"ftpalg/cmd/internal/acme"
	"ftpalg/cmd/internal/acme/order"
	"ftpalg/cmd/internal/cli"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "ftpalg-acme: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	var asked order.Book
	in := bufio.NewReader(os.Stdin)
	if err := json.NewDecoder(in).Decode(&asked); err != nil {
		return fmt.Errorf("read what is asked for, as `ftpalg run` says it: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	o := acme.Options{Orders: asked.Orders, Log: cli.NewLog(os.Stderr, asked.Log.Format, cli.LogLevel(asked.Log.Level))}
	descriptor := uintptr(order.FirstDescriptor)
	take := func(n int) (all []net.Listener, err error) {
		for range n {
			f := os.NewFile(descriptor, "listener")
			descriptor++
			l, err := net.FileListener(f)
			f.Close()
			if err != nil {
				return nil, fmt.Errorf("take over a listening socket: %w", err)
			}
			all = append(all, l)
		}
		return all, nil
	}
	var err error
	if o.HTTP, err = take(asked.HTTP); err != nil {
		return err
	}
	if o.TLS, err = take(asked.TLS); err != nil {
		return err
	}
	var mu sync.Mutex
	o.Renewed = func() {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(order.Renewed)
	}
	return acme.Run(ctx, o)
}
