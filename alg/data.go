package alg

import (
	"net/netip"
	"time"

	"ftpalg/alg/expect"
)

// Traffic is what a data connection has carried, in bytes with the headers of
// IP and TCP.
type Traffic struct {
	FromClient uint64 `json:"from_client"`
	FromServer uint64 `json:"from_server"`
	// Counted is false where the kernel does not count.
	Counted bool `json:"counted"`
}

// grow takes in by how much a part of it has grown.
func (t *Traffic) grow(before, now Traffic) {
	t.FromClient += now.FromClient - before.FromClient
	t.FromServer += now.FromServer - before.FromServer
	t.Counted = true
}

// DataState says where a data connection is in its life. The values are
// stable.
type DataState string

// The states of a data connection.
const (
	DataPromised  DataState = "promised"  // nobody has come yet
	DataConnected DataState = "connected" // its first packet has come
	DataClosed    DataState = "closed"    // it has ended
	DataExpired   DataState = "expired"   // no connection came in time
	DataWithdrawn DataState = "withdrawn" // the promise was taken back before anybody came
)

// DataConnection is one data connection of a session.
type DataConnection struct {
	Pinhole  expect.ID      `json:"pinhole"`
	Mode     expect.Mode    `json:"mode"`
	From     netip.Addr     `json:"from"`
	To       netip.AddrPort `json:"to"`
	Target   netip.AddrPort `json:"target"`
	Seen     netip.Addr     `json:"seen"`
	Promised time.Time      `json:"promised"`
	State    DataState      `json:"state"`
	// Command and File are those of the transfer that it was used for.
	Command string `json:"command,omitempty"`
	File    string `json:"file,omitempty"`
	Traffic
}
