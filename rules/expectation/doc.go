// Package expectation is the data path in which connection tracking itself
// expects the promised connection. See package rules for the picture: each
// expectation hangs on a master entry that no packet belongs to.
package expectation
