package explain

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
	"ftpalg/cmd/internal/config"
	gateway "ftpalg/cmd/internal/daemon"
	"ftpalg/cmd/internal/opener"
	"ftpalg/rules"
)

// Session is one session that the client would have.
type Session struct {
	// Reached is where the client connects to, Server the server behind it,
	// Seen the address that this sees, and Source why.
	Reached netip.AddrPort `json:"reached"`
	Server  netip.AddrPort `json:"server"`
	Seen    netip.Addr     `json:"seen"`
	Source  string         `json:"source"`
	// TLS and ThirdParty are the policy of those names.
	TLS string `json:"tls"`
	// ServerTLS and Convert are the settings of those names.
	ServerTLS  string `json:"server_tls"`
	Convert    string `json:"convert"`
	ThirdParty string `json:"third_party"`
	// Modes, Commands, Deny and Users are what the listener allows.
	Modes    string   `json:"modes"`
	Commands string   `json:"commands"`
	Deny     []string `json:"deny,omitempty"`
	Users    string   `json:"users"`
	// LowestDataPort and ServerData are the settings of those names, Policy
	// which of policies holds, "" for the listener's own.
	LowestDataPort uint16   `json:"lowest_data_port"`
	ServerData     []string `json:"server_data,omitempty"`
	Policy         string   `json:"policy,omitempty"`
	// Sessions, SessionsPerClient, IdleTimeout and PinholeTimeout are the
	// limits.
	Sessions          int    `json:"sessions"`
	SessionsPerClient int    `json:"sessions_per_client"`
	IdleTimeout       string `json:"idle_timeout"`
	PinholeTimeout    string `json:"pinhole_timeout"`
	// Path is the configured data path.
	Path string `json:"path"`
	// Announcements are the four ways to announce a data connection.
	Announcements []Announcement `json:"announcements"`
}

// session describes the client's session through l.
func (q Question) session(c *config.Config, l *config.Listener, reached netip.AddrPort) (Session, error) {
	svc, settings := gateway.Service(l), gateway.Settings(c)
	ends := svc.Endpoints(netip.AddrPortFrom(q.Client, peerPort), reached)
	source := "source: " + l.Source.String()
	mine, err := q.Source(ends.Server.Addr())
	if !ends.Seen.IsValid() {
		if err != nil {
			return Session{}, fmt.Errorf("listener %s: from which address this machine reaches %s: %w", l.Name, ends.Server.Addr(), err)
		}
		ends.Seen = netip.AddrPortFrom(mine, 0)
		source += ", by the routes of this machine"
	}
	of := l.PolicyOf(q.Client, ends.Server.Addr())
	p := asked{
		ends: ends, service: svc, policy: svc.PolicyOf(q.Client, ends.Server.Addr()), settings: settings,
		options: opener.RuleOptions(c), own: mine, relays: l.TLS.Mode == config.TLSRequire || l.ServerTLS.Mode != config.ServerTLSOff, until: q.Now.Add(settings.PinholeTimeout),
	}
	s := Session{
		Reached: reached, Server: ends.Server, Seen: ends.Seen.Addr(), Source: source,
		TLS: string(l.TLS.Mode), ServerTLS: string(l.ServerTLS.Mode), Convert: string(l.Convert), ThirdParty: map[bool]string{true: "allow", false: "refuse"}[of.ThirdParty],
		Modes: string(of.Modes), Commands: string(of.Commands), Deny: of.Deny, Users: string(of.Users),
		LowestDataPort: of.LowestDataPort, ServerData: words(of.ServerData), Policy: strings.TrimSuffix(p.policy.Where, ": "),
		Sessions: settings.Sessions, SessionsPerClient: settings.SessionsPerClient,
		IdleTimeout: settings.IdleTimeout.String(), PinholeTimeout: settings.PinholeTimeout.String(),
		Path: string(c.Data.Path),
	}
	for _, mode := range []expect.Mode{expect.PASV, expect.EPSV, expect.PORT, expect.EPRT} {
		a, err := p.announcement(mode)
		if err != nil {
			return Session{}, fmt.Errorf("listener %s: %s: %w", l.Name, mode, err)
		}
		s.Announcements = append(s.Announcements, a)
	}
	return s, nil
}

// peerPort stands for a port that a client or server picks itself.
const peerPort = 40000

// dataPort stands for a port of a data connection that the policy allows.
func (p asked) dataPort() uint16 { return max(peerPort, p.policy.LowestPort) }

// asked is a session whose announcements are asked for.
type asked struct {
	ends     alg.Endpoints
	service  alg.Service
	policy   dialogue.Policy
	settings alg.Settings
	options  rules.Options
	own      netip.Addr // of this machine, towards the server
	relays   bool       // all data, for it is under TLS
	until    time.Time
}
