package rules

// Missing returns why rules of a family cannot be had on this machine, or nil
// if they can.
func (m *Manager) Missing(f Family) error { return m.missing[f] }
