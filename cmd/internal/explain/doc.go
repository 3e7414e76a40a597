// Package explain says what a gateway with a given configuration would do for
// a client: which listener takes it, what the server sees, and for each way
// of announcing a data connection what would be told to whom, and what would
// be opened in the kernel. It asks the packages that the running gateway
// asks, and touches nothing.
//
//   - explain.go: the question, and the answer of all listeners
//   - listener.go: whether a listener takes the client, and where
//   - session.go: the session that it would have
//   - announcement.go: PASV, EPSV, PORT and EPRT in that session
//   - print.go: the answer for people
package explain
