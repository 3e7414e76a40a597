// Package follow follows data connections from the first packet, which a
// conntrack event tells of, to the end, which is looked for twice a second.
package follow
