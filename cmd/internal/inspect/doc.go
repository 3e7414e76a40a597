// Package inspect is `ftpalg inspect`: it tells what a capture shows, for
// people in words and for programs as JSON.
package inspect
