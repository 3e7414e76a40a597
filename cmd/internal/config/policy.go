package config

import (
	"net/netip"
	"slices"
)

// Policy is what the clients of a listener may do, and what they are shown.
type Policy struct {
	// ThirdParty lets PORT and EPRT name a host other than the client.
	ThirdParty bool
	// Modes are the ways to announce a data connection that are allowed.
	Modes Modes
	// LowestDataPort is the lowest port of a data connection.
	LowestDataPort uint16
	// ServerData are the networks whose addresses in a 227 are taken as they
	// are; any other address stands for the server.
	ServerData []netip.Prefix
	// Commands is the set of commands that pass, Deny further ones that do
	// not, in upper case: a verb, or SITE with a subcommand.
	Commands Commands
	Deny     []string
	// Users are those who may log in.
	Users Users
	// Refusal is what a client is told that may not do something; empty for
	// the default.
	Refusal string
	// Banner and System are the texts of the greeting and of the reply to
	// SYST; empty for the server's own.
	Banner, System string
}

// PolicyFor is the Policy of the sessions between some clients and servers; nil
// means any.
type PolicyFor struct {
	Clients, Servers []netip.Prefix
	Policy
}

func newPolicy() Policy {
	return Policy{Modes: ModesAny, LowestDataPort: lowestDataPort, Commands: CommandsAll, Users: UsersAny}
}

func newPolicyFor() PolicyFor { return PolicyFor{Policy: newPolicy()} }

// lowestDataPort is the least LowestDataPort: below it are the services of a
// host (RFC 2577 section 3).
const lowestDataPort = 1024

func (p *Policy) fields() []field {
	return []field{
		{"third_party", one(&p.ThirdParty, permission())},
		{"modes", one(&p.Modes, choice(ModesAny, ModesActive, ModesPassive))},
		{"lowest_data_port", one(&p.LowestDataPort, whole[uint16](lowestDataPort, 65535))},
		{"server_data", oneOrMany(&p.ServerData, prefix())},
		{"commands", one(&p.Commands, choice(CommandsAll, CommandsReadOnly, CommandsUploadOnly))},
		{"deny", oneOrMany(&p.Deny, command())},
		{"users", one(&p.Users, choice(UsersAny, UsersAnonymous, UsersNamed))},
		{"refusal", one(&p.Refusal, replyText())},
		{"banner", one(&p.Banner, replyText())},
		{"system", one(&p.System, replyText())},
	}
}

func (p *PolicyFor) fields() []field {
	return append([]field{
		{"clients", oneOrMany(&p.Clients, prefix())},
		{"servers", oneOrMany(&p.Servers, prefix())},
	}, p.Policy.fields()...)
}

func (p *PolicyFor) covers(client, server netip.Addr) bool {
	return Within(client, p.Clients) && Within(server, p.Servers)
}

// TakesData reports whether ServerData holds an address.
func (p *Policy) TakesData(a netip.Addr) bool {
	return len(p.ServerData) > 0 && a.IsGlobalUnicast() && Within(a, p.ServerData)
}

// check reports an entry that covers every session: those behind it would
// never count.
func (p *PolicyFor) check(r *report, path string) {
	if r.clean(path) && !r.given(path+".clients") && !r.given(path+".servers") {
		r.add(path, "needs clients or servers; what holds for all sessions stands in the listener itself")
	}
}

// Within reports whether one of the networks, of which none mean any, holds a.
func Within(a netip.Addr, networks []netip.Prefix) bool {
	return len(networks) == 0 || slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(a.WithZone("")) })
}

// Modes says who may open data connections.
type Modes string

// The modes: with ModesActive the server opens them (PORT, EPRT), with
// ModesPassive the client (PASV, EPSV).
const (
	ModesAny     Modes = "any"
	ModesActive  Modes = "active"
	ModesPassive Modes = "passive"
)

// Commands is a ready-made set of commands.
type Commands string

// The sets of commands.
const (
	CommandsAll        Commands = "all"
	CommandsReadOnly   Commands = "read-only"
	CommandsUploadOnly Commands = "upload-only"
)

// Users is a set of user names; those of UsersAnonymous are of RFC 1635.
type Users string

// The sets of users.
const (
	UsersAny       Users = "any"
	UsersAnonymous Users = "anonymous"
	UsersNamed     Users = "named"
)
