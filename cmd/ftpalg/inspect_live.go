package main

import (
	"context"
	"fmt"

	"ftpalg/alg/capture"
	"ftpalg/cmd/internal/inspect"
)

// inspectLive inspects what passes an interface until ctx ends.
func inspectLive(ctx context.Context, name string, o inspect.Options) error {
	in, err := capture.OpenLive(ctx, name)
	if err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	if err := inspect.Run(ctx, in, o); err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	return nil
}
