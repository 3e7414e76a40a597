// Package top is `ftpalg top`: the sessions of a gateway on a terminal, in
// the manner of htop. A Model is what is known and chosen; it takes snapshots
// of the gateway and keys, and renders itself as lines, all without effects.
// Run and Batch connect it with a terminal, or with plain output.
package top
