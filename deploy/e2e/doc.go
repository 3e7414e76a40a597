// Package e2e holds the end-to-end tests: real clients (curl, lftp, tnftp) and
// real servers (vsftpd, pure-ftpd, proftpd), the gateway's binary between them as
// an operator starts it, on hosts of package lab whose firewall drops
// everything.
//
// The tests see the gateway from outside alone: its command line, its
// configuration file, its log, its admin socket, the kernel's rules, and what
// clients and servers say. They need root and the programs that they name; a
// test that lacks one is skipped and says which, or fails if the environment
// has FTPALG_E2E=1.
package e2e
