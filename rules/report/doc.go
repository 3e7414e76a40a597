// Package report has what every room of rules tells: the errors that its
// operations end with, the events that it meets in the background, the states
// of a pinhole, and counts.
package report
