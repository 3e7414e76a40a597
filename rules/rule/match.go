package rule

import (
	"net/netip"
	"time"
)

// Match is one condition of a rule. All must hold.
type Match interface{ match() }

// The matches.
type (
	// Source is a network that the packet comes from.
	Source netip.Prefix
	// Destination is a network that it goes to.
	Destination netip.Prefix
	// Interface is the name of the one that it came in by.
	Interface string
	// Port is its destination port.
	Port uint16
	// Ports are those of which its destination port is one, fifteen at most.
	Ports []uint16
	// EitherPorts are those of which its source or destination port is one,
	// fifteen at most.
	EitherPorts []uint16
	// FirstPacket holds for the packet that asks for a connection (SYN, and
	// none of ACK, FIN and RST).
	FirstPacket struct{}
	// NotToUs holds where no address of this machine is the destination.
	NotToUs struct{}
	// TransparentSocket holds where a transparent socket of this machine has
	// the connection.
	TransparentSocket struct{}
	// Tracked is what connection tracking says of the connection.
	Tracked struct {
		// States are those of which one is the connection's; none for any.
		States []State
		// OriginalDestination is where the first packet went before any
		// translation; zero for anywhere.
		OriginalDestination netip.AddrPort
	}
	// PacketMark is a bit of the packet's mark.
	PacketMark uint32
	// ConnectionMark is a bit of the connection's mark.
	ConnectionMark uint32
	// Helper is the name of the conntrack helper whose expectation the
	// connection met.
	Helper string
	// Until is when the rule ends by itself.
	Until time.Time
	// Once lets a single packet pass. Its name is shared with no other rule,
	// of this process or another.
	Once string
)

func (Source) match()            {}
func (Destination) match()       {}
func (Interface) match()         {}
func (Port) match()              {}
func (Ports) match()             {}
func (EitherPorts) match()       {}
func (FirstPacket) match()       {}
func (NotToUs) match()           {}
func (TransparentSocket) match() {}
func (Tracked) match()           {}
func (PacketMark) match()        {}
func (ConnectionMark) match()    {}
func (Helper) match()            {}
func (Until) match()             {}
func (Once) match()              {}

// State is one of a connection, as connection tracking calls it.
type State string

// The states that rules ask for.
const (
	New        State = "NEW"
	Related    State = "RELATED"
	Translated State = "DNAT"
)

// Verdict is what becomes of a packet that matches.
type Verdict interface{ verdict() }

// The verdicts.
type (
	// Accept lets the packet pass.
	Accept struct{}
	// SetPacketMark sets a bit of the packet's mark.
	SetPacketMark uint32
	// SetConnectionMark sets a bit of the connection's mark.
	SetConnectionMark uint32
	// Redirect sends the connection to a port of this machine.
	Redirect uint16
	// HandOver gives the packet to a transparent listener as it is.
	HandOver struct {
		To netip.AddrPort
		// Mark is a bit of the packet's mark, for the policy route.
		Mark uint32
	}
	// TranslateDestination sends the connection elsewhere.
	TranslateDestination netip.AddrPort
	// TranslateSource gives the connection another source address, and keeps
	// its source port where that is free.
	TranslateSource netip.Addr
)

func (Accept) verdict()               {}
func (SetPacketMark) verdict()        {}
func (SetConnectionMark) verdict()    {}
func (Redirect) verdict()             {}
func (HandOver) verdict()             {}
func (TranslateDestination) verdict() {}
func (TranslateSource) verdict()      {}
