package rules

import "context"

// probe learns which tables this machine has. What it lacks is no error
// until a rule needs it; a lack of permission is.
func (w *worker) probe() error {
	w.absent = map[string]error{}
	for _, table := range []string{tableFilter, tableNAT} {
		err := w.kernel.HasTable(table)
		if err != nil && hopeless(err) {
			return err
		}
		if err != nil {
			w.absent[table] = err
		}
	}
	return nil
}

// start takes over from a predecessor and installs the plan.
func (w *worker) start(ctx context.Context, p plan) error {
	if err := w.probe(); err != nil {
		return err
	}
	return w.apply(ctx, p)
}

// apply replaces the plan. If that fails, the former one is put back.
func (w *worker) apply(ctx context.Context, p plan) error {
	p, err := p.within(w.absent)
	if err != nil {
		return err
	}
	former := w.plan
	w.plan = p
	if err := w.settle(ctx, former); err != nil {
		w.plan = former
		w.heal(context.WithoutCancel(ctx))
		return err
	}
	return nil
}

func (w *worker) settle(ctx context.Context, former plan) error {
	if _, err := w.reconcile(ctx); err != nil {
		return err
	}
	if former.route && !w.plan.route {
		_, err := w.kernel.RemoveRoute()
		return err
	}
	return nil
}

// stop removes everything, promises included.
func (w *worker) stop(ctx context.Context) error {
	w.plan = plan{}
	w.ledger.clear()
	_, err := takedown(ctx, w.kernel)
	return err
}
