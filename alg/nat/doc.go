// Package nat knows how this machine is seen through a further NAT in front
// of it (Table), and which data ports may be promised (Pool).
package nat
