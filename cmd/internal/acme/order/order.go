// Package order is what a gateway asks its ftpalg-acme for.
package order

import (
	"path/filepath"

	"ftpalg/cmd/internal/config"
)

// Book is all that is asked for, as JSON at the standard input. The listening sockets
// stand at the descriptors from FirstDescriptor on, first those of HTTP.
type Book struct {
	Log       config.Log
	Orders    []Order
	HTTP, TLS int // how many sockets
}

// FirstDescriptor is the first one beyond the standard ones.
const FirstDescriptor = 3

// Renewed is the line at the standard output that says that a certificate has
// changed.
const Renewed = "renewed"

// Order asks for the certificates of one listener.
type Order struct {
	Names     []string
	Email     string
	Directory string
	// CA has the authorities of the directory's own certificate in PEM; empty for
	// those of the system.
	CA      []byte
	Storage string
	// HTTP and TLS say by which challenges the authority is answered.
	HTTP, TLS bool
}

// Pair is the file in a storage that has a name's certificate, with its chain and
// its key.
func Pair(storage, name string) string { return filepath.Join(storage, "live", name+".pem") }
