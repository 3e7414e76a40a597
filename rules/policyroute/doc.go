// Package policyroute keeps the policy route that delivers marked packets to
// local sockets, whatever their destination address.
package policyroute
