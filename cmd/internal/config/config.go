package config

import (
	"net/netip"
	"time"
)

// Config is a whole configuration, valid and with every default in place.
type Config struct {
	Listeners []Listener
	NAT       []NAT
	Data      Data
	Limits    Limits
	Rates     Rates
	Admin     Admin
	Log       Log
	Netfilter Netfilter
	// User is the name of the user that the worker runs as; root is none.
	User string
}

// DefaultUser is the user that the packages make. Where it is missing, the
// worker runs as the kernel's overflow user.
const DefaultUser = "ftpalg"

// Rates are what one client may do in a minute; 0 means no bound.
type Rates struct {
	Connections, FailedLogins, Promises int
	// Ban is how long a client is turned away after too many failed logins.
	Ban time.Duration
}

// NAT is one further NAT in front of this machine, that knows no FTP.
type NAT struct {
	// Local is our address, as it was before that NAT.
	Local netip.Addr
	// Public is how Local is seen from beyond. It is invalid where PublicName
	// is set.
	Public netip.Addr
	// PublicName is the DNS name of that address, to be looked up again from
	// time to time; empty where Public is set.
	PublicName string
	// Except holds the peers that see Local untranslated.
	Except []netip.Prefix
	// Ports is how that NAT changes ports; nil where it keeps them.
	Ports *PortMap
}

// PortMap is a NAT's mapping of ports: the first of Local to the first of
// Public, and so on. Both ranges have the same size.
type PortMap struct {
	Local, Public PortRange
}

// Data is how data connections are let through.
type Data struct {
	Path Path
	// PassivePorts are promised to clients (227, 229), ActivePorts to servers
	// (PORT, EPRT). They never overlap.
	PassivePorts, ActivePorts PortRange
	// PinholeTimeout is how long a pinhole waits for its connection, 1 s to 1 h.
	PinholeTimeout time.Duration
}

// Path is how a pinhole is opened.
type Path string

// The data paths. PathAuto takes the best that works on this machine.
const (
	PathAuto      Path = "auto"
	PathConntrack Path = "conntrack"
	PathIPTables  Path = "iptables"
	PathRelay     Path = "relay"
)

// Limits bounds what clients may use up.
type Limits struct {
	// Sessions is the most sessions at a time; SessionsPerClient, never more
	// than Sessions, is the most from one address.
	Sessions, SessionsPerClient int
	// PromisesPerClient is the most data ports that one client holds at a
	// time. Where the file does not say, it is a tenth of data.passive_ports,
	// and at least leastShare.
	PromisesPerClient int
	// ConnectTimeout bounds the connection to a server.
	ConnectTimeout time.Duration
	// IdleTimeout ends a session in which neither a line nor data moves.
	IdleTimeout time.Duration
	// CommandLine is the longest line of a control connection, in bytes.
	CommandLine int
	// DrainTimeout is how long transfers may go on after SIGTERM.
	DrainTimeout time.Duration
}

// Admin is where the running gateway can be asked.
type Admin struct {
	// Socket is the absolute path of the admin socket.
	Socket string
	// HTTP is where metrics and the status page are served; invalid for
	// nowhere.
	HTTP netip.AddrPort
	// Token is what HTTP asks for; TokenFile is the absolute path of a file
	// that holds it. At most one is set, and one of them is where HTTP is not
	// on loopback.
	Token     Secret
	TokenFile string
	// Pprof adds the profiles of net/http/pprof to both.
	Pprof bool
}

// Guarded reports whether HTTP asks for a token.
func (a *Admin) Guarded() bool { return !a.Token.IsZero() || a.TokenFile != "" }

// Log is what is written, and how.
type Log struct {
	Level  Level
	Format Format
	// Transfers is the absolute path of the transfer log; empty for none.
	Transfers string
}

// Level is the least grave event that is logged.
type Level string

// The levels, from the most to the least talkative.
const (
	LevelTrace Level = "trace"
	LevelDebug Level = "debug"
	LevelInfo  Level = "info"
	LevelWarn  Level = "warn"
	LevelError Level = "error"
)

// Format is the form of a log line.
type Format string

// The formats.
const (
	FormatJSON Format = "json"
	FormatText Format = "text"
)

// Netfilter holds the numbers by which our packets and routes are known to
// the kernel, and which nobody else on the machine may use.
type Netfilter struct {
	// Mark is the packet mark of intercepted connections, a single bit. The
	// next two higher bits (bit 0 behind the highest) mark data connections.
	Mark uint32
	// RouteTable and RulePriority belong to the policy route that brings the
	// packets of intercepted connections to us.
	RouteTable, RulePriority int
}

// Default returns the configuration that an empty file would mean, were it
// valid.
func Default() *Config {
	return &Config{
		Data: Data{
			Path:           PathAuto,
			PassivePorts:   PortRange{50000, 50999},
			ActivePorts:    PortRange{51000, 51999},
			PinholeTimeout: time.Minute,
		},
		Limits: Limits{
			Sessions:          10000,
			SessionsPerClient: 100,
			ConnectTimeout:    10 * time.Second,
			IdleTimeout:       15 * time.Minute,
			CommandLine:       4096,
			DrainTimeout:      30 * time.Second,
		},
		Rates:     Rates{Ban: 10 * time.Minute},
		Admin:     Admin{Socket: "/run/ftpalg/admin.sock"},
		Log:       Log{Level: LevelInfo, Format: FormatJSON},
		Netfilter: Netfilter{Mark: 0x2000000, RouteTable: 2121, RulePriority: 2121},
		User:      DefaultUser,
	}
}
