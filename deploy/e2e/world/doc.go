// Package world holds the compatibility matrix: real FTP servers and clients,
// each client with each server, through the gateway in every kind of listener
// and data path, and by plain routing beside it. What works without a gateway
// must work through it; a difference fails the test, or has its reason in
// judge_test.go.
//
// `make world` runs all of it and writes deploy/doc/compatibility.md; `make
// test` runs the short form, with the programs that the other tests need
// anyway. Programs that Debian does not let stand beside each other are
// unpacked into a folder and never installed.
package world
