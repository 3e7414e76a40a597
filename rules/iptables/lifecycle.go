package iptables

import "context"

// probeTables learns which tables this machine has. What it lacks is no error
// until a rule needs it; a lack of permission is.
func (w *worker) probeTables() error {
	w.absent = map[string]error{}
	for _, table := range []string{tableFilter, tableNAT} {
		err := w.kernel.HasTable(table)
		if err != nil && isPermanent(err) {
			return err
		}
		if err != nil {
			w.absent[table] = err
		}
	}
	return nil
}

// startPlan takes over from a predecessor and installs the plan.
func (w *worker) startPlan(ctx context.Context, p plan) error {
	if err := w.probeTables(); err != nil {
		return err
	}
	return w.applyPlan(ctx, p)
}

// applyPlan replaces the plan. If that fails, the former one is put back.
func (w *worker) applyPlan(ctx context.Context, p plan) error {
	p, err := p.within(w.absent)
	if err != nil {
		return err
	}
	former := w.plan
	w.plan = p
	if err := w.installPlan(ctx, former); err != nil {
		w.plan = former
		w.repairAfterFailure(context.WithoutCancel(ctx))
		return err
	}
	return nil
}

func (w *worker) installPlan(ctx context.Context, former plan) error {
	if _, err := w.reconcile(ctx); err != nil {
		return err
	}
	if former.route && !w.plan.route {
		_, err := w.kernel.RemoveRoute()
		return err
	}
	return nil
}

// removeAll removes everything, promises included.
func (w *worker) removeAll(ctx context.Context) error {
	w.plan = plan{}
	w.ledger.forgetAll()
	_, err := takedown(ctx, w.kernel)
	return err
}
