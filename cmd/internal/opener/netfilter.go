package opener

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ftpalg/alg/expect"
	"ftpalg/cmd/internal/config"
	"ftpalg/rules"
)

// netfilter is what the opener asks of package rules.
type netfilter interface {
	Missing(rules.Family) error
	Describe() string
	Start(context.Context, rules.Static) error
	Adopt(context.Context, rules.Static, []rules.Pinhole) error
	Apply(context.Context, rules.Static) error
	Stop(context.Context) error
	Leave() error
	Open(context.Context, expect.Expectation) error
	Close(expect.ID)
	Cut(session uint64)
	Pinholes() []rules.Pinhole
	Rules(expect.ID) []string
	Health() rules.Health
	Path() (path, why string)
}

// untouched stands in where nothing can be asked of netfilter, for the reason
// why: data is relayed, and whatever firewall there is has to let it in.
type untouched struct{ why error }

// errNeedsNetfilter says that a listener cannot do without.
var errNeedsNetfilter = errors.New("a transparent listener and source: client need netfilter")

func (u untouched) Missing(rules.Family) error { return u.why }
func (untouched) Describe() string             { return "none" }

func (u untouched) Start(ctx context.Context, s rules.Static) error { return u.Apply(ctx, s) }

func (u untouched) Adopt(ctx context.Context, s rules.Static, _ []rules.Pinhole) error {
	return u.Apply(ctx, s)
}

func (u untouched) Apply(_ context.Context, s rules.Static) error {
	if len(s.Intercepts) > 0 || s.Foreign4 || s.Foreign6 {
		return fmt.Errorf("%w: %w", errNeedsNetfilter, u.why)
	}
	return nil
}

func (untouched) Stop(context.Context) error { return nil }
func (untouched) Leave() error               { return nil }

func (untouched) Open(context.Context, expect.Expectation) error { return nil }
func (untouched) Close(expect.ID)                                {}
func (untouched) Cut(uint64)                                     {}

func (untouched) Pinholes() []rules.Pinhole { return nil }
func (untouched) Rules(expect.ID) []string  { return nil }

// Health says that what should be there, nothing, is there.
func (untouched) Health() rules.Health { return rules.Health{Verified: time.Now()} }

func (u untouched) Path() (path, why string) {
	return "none", fmt.Sprintf("netfilter is left alone: %s", u.why)
}

// prepare finds netfilter. Where data is relayed it may be missing.
func prepare(c *config.Config, o rules.Options) (netfilter, error) {
	m, err := rules.New(o)
	switch {
	case err == nil:
		return m, nil
	case c.Data.Path == config.PathRelay && errors.Is(err, rules.ErrUnavailable):
		return untouched{err}, nil
	}
	return nil, fmt.Errorf("prepare netfilter: %w", err)
}

// startRules installs the static rules. Where data is relayed and the kernel
// does not allow that, the gateway does without.
func (o *Opener) startRules(ctx context.Context, s rules.Static) error {
	err := o.rules().Start(ctx, s)
	if err == nil || o.config.Data.Path != config.PathRelay || !errors.Is(err, rules.ErrNotPermitted) && !errors.Is(err, rules.ErrUnavailable) {
		return err
	}
	var none netfilter = untouched{err}
	o.current.Store(&none)
	return none.Start(ctx, s)
}

// path names the data path in force, and says why.
func (o *Opener) path() (path, why string) {
	path, why = o.rules().Path()
	if o.config.Data.Path != config.PathRelay {
		return path, why
	}
	return string(config.PathRelay), fmt.Sprintf("configured; pinholes for its ports by %s, %s", path, why)
}
