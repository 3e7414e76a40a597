package main

import (
	"context"
	"fmt"
	"io"

	"ftpalg/alg/capture"
	"ftpalg/cmd/internal/inspect"
)

// inspectLive inspects what passes an interface until ctx ends.
func inspectLive(ctx context.Context, name string, o inspect.Options, stderr io.Writer) error {
	in, err := capture.OpenLive(ctx, name)
	if err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	defer in.Close()
	if err := inspect.Run(ctx, in, o); err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	if n := in.Dropped(); n > 0 {
		fmt.Fprintf(stderr, "ftpalg: the kernel dropped %d packets for want of room; what is missing above may be among them\n", n)
	}
	return nil
}
