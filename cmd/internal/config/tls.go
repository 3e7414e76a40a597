package config

// TLS is what becomes of TLS with clients.
type TLS struct {
	Mode TLSMode
	// Certificates and Keys are absolute paths of PEM files, one key for each
	// certificate with its chain; the first serves clients that name none.
	Certificates, Keys []string
	// Folder is the absolute path of a folder with more pairs, one a name; empty for
	// none.
	Folder string
	// ACME has certificates come from an authority, nil for none.
	ACME *ACME
	// Implicit begins TLS with the connection, without AUTH.
	Implicit bool
	// Minimum is the least version.
	Minimum TLSVersion
	// ClientCA is the absolute path of a PEM file with the authorities of
	// clients' certificates; empty for asking none. ClientCertificate says whether a client may
	// do without one.
	ClientCA          string
	ClientCertificate ClientCertificate
	// DataSession says whether a data connection must resume the TLS session of
	// its control connection.
	DataSession DataSession
	// ClearControl says whether a client may end the TLS of its control connection.
	ClearControl ClearControl
	// PassPorts are ports of the server that are kept open for the client of a
	// session under TLS that is passed on; the zero PortRange is none.
	PassPorts PortRange
}

// TLSMode is what becomes of AUTH.
type TLSMode string

// The modes. With TLSPass AUTH reaches the server, and the session becomes
// opaque; TLSRefuse answers 534 (RFC 2228 section 5), TLSOff as a server that
// never heard of it. With TLSOffer and TLSRequire the gateway is the end of
// the client's TLS.
const (
	TLSOff     TLSMode = "off"
	TLSPass    TLSMode = "pass"
	TLSRefuse  TLSMode = "refuse"
	TLSOffer   TLSMode = "offer"
	TLSRequire TLSMode = "require"
)

// EndsHere reports whether the gateway is the end of the client's TLS.
func (m TLSMode) EndsHere() bool { return m == TLSOffer || m == TLSRequire }

// TLSVersion is a version of TLS.
type TLSVersion string

// The versions: RFC 5246 and RFC 8446.
const (
	TLS12 TLSVersion = "1.2"
	TLS13 TLSVersion = "1.3"
)

// ClientCertificate says what is asked of a client.
type ClientCertificate string

// What is asked: nothing but that a certificate which is shown is good, or
// one.
const (
	ClientMay  ClientCertificate = "optional"
	ClientMust ClientCertificate = "required"
)

// DataSession says what is asked of data connections.
type DataSession string

// What is asked: nothing, or the TLS session of the control connection.
const (
	DataSessionOff     DataSession = "off"
	DataSessionRequire DataSession = "require"
)

// ClearControl says what becomes of CCC.
type ClearControl string

// What becomes of it.
const (
	CCCRefuse ClearControl = "refuse"
	CCCAllow  ClearControl = "allow"
)

func newTLS() TLS {
	return TLS{Mode: TLSPass, Minimum: TLS12, ClientCertificate: ClientMust, DataSession: DataSessionOff, ClearControl: CCCRefuse}
}

// Paths of files are bound as in Log: PATH_MAX counts the NUL (limits.h).
const longestPath = 4095

// value returns how the key is written: a mode, or a mapping.
func (t *TLS) value() value {
	mode := one(&t.Mode, choice(TLSOff, TLSPass, TLSRefuse, TLSOffer, TLSRequire))
	return wordOrGroup{mode, t.fields(mode), func() bool { return t.Mode.EndsHere() || t.PassPorts != (PortRange{}) }}
}

// fields returns the keys of the mapping.
func (t *TLS) fields(mode word) group {
	passed := field{"pass_ports", one(&t.PassPorts, portRange())}
	if t.PassPorts != (PortRange{}) { // it was read, so the others mean nothing
		return group{{"mode", mode}, passed}
	}
	return group{
		{"mode", mode},
		{"certificate", oneOrMany(&t.Certificates, absolute(longestPath))},
		{"key", oneOrMany(&t.Keys, absolute(longestPath))},
		{"folder", one(&t.Folder, absolute(longestPath))},
		{"acme", optional(&t.ACME, newACME, (*ACME).fields)},
		{"implicit", one(&t.Implicit, flag())},
		{"minimum", one(&t.Minimum, choice(TLS12, TLS13))},
		{"client_ca", one(&t.ClientCA, absolute(longestPath))},
		{"client_certificate", one(&t.ClientCertificate, choice(ClientMay, ClientMust))},
		{"data_session", one(&t.DataSession, choice(DataSessionOff, DataSessionRequire))},
		{"ccc", one(&t.ClearControl, choice(CCCRefuse, CCCAllow))},
		passed,
	}
}

// mostPassPorts bounds PassPorts: all of them are open for each session.
const mostPassPorts = 50

// check reports what of TLS does not fit together.
func (t *TLS) check(r *report, path string) {
	if !r.clean(path) {
		return
	}
	certificate, key := path+".certificate", path+".key"
	if passed := path + ".pass_ports"; r.given(passed) && r.clean(passed) {
		switch {
		case t.Mode != TLSPass:
			r.add(passed, "means nothing with mode %s; TLS is passed on with pass", t.Mode)
		case t.PassPorts.First < lowestPort:
			r.add(passed, "%s begins below %d, among the privileged ports", t.PassPorts, lowestPort)
		case t.PassPorts.Size() > mostPassPorts:
			r.add(passed, "%d ports are too many to keep open for each session; %d at most", t.PassPorts.Size(), mostPassPorts)
		}
	}
	if !t.Mode.EndsHere() {
		for _, other := range []string{certificate, key, path + ".folder", path + ".acme", path + ".implicit", path + ".minimum", path + ".client_ca", path + ".client_certificate", path + ".data_session", path + ".ccc"} {
			if r.given(other) {
				r.add(other, "means nothing with mode %s; the gateway ends TLS with offer or require", t.Mode)
			}
		}
		return
	}
	if t.ACME != nil {
		t.ACME.check(r, path+".acme")
	}
	if !r.given(path+".folder") && !r.given(path+".acme") || r.given(certificate) || r.given(key) {
		r.require(certificate, "the gateway shows it to clients")
		r.require(key, "the key of the certificate")
	}
	if r.clean(certificate, key) && len(t.Certificates) != len(t.Keys) && len(t.Certificates) > 0 && len(t.Keys) > 0 {
		r.add(key, "%d keys for %d certificates; each has its own", len(t.Keys), len(t.Certificates))
	}
	if r.given(path+".client_certificate") && t.ClientCA == "" {
		r.add(path+".client_certificate", "needs client_ca, which says whose certificates count")
	}
	if t.Implicit && t.Mode != TLSRequire && r.clean(path+".implicit") {
		r.add(path+".implicit", "needs mode require: every connection is under TLS")
	}
}

// ServerTLS is whether the gateway speaks TLS with the server.
type ServerTLS struct {
	Mode ServerTLSMode
	// CA is the absolute path of a PEM file with the authorities of the
	// server's certificate; empty for those of the system.
	CA string
	// Name is the one that the certificate must be for; empty for the server's
	// address.
	Name string
	// Verify is false where any certificate will do.
	Verify bool
}

// ServerTLSMode is how TLS with the server begins.
type ServerTLSMode string

// The modes: not at all, by AUTH, or with the connection.
const (
	ServerTLSOff      ServerTLSMode = "off"
	ServerTLSExplicit ServerTLSMode = "explicit"
	ServerTLSImplicit ServerTLSMode = "implicit"
)

func newServerTLS() ServerTLS { return ServerTLS{Mode: ServerTLSOff, Verify: true} }

// value returns how the key is written: a mode, or a mapping.
func (t *ServerTLS) value() value {
	mode := one(&t.Mode, choice(ServerTLSOff, ServerTLSExplicit, ServerTLSImplicit))
	fields := group{
		{"mode", mode},
		{"ca", one(&t.CA, absolute(longestPath))},
		{"name", one(&t.Name, name())},
		{"verify", one(&t.Verify, flag())},
	}
	return wordOrGroup{mode, fields, func() bool { return t.Mode != ServerTLSOff }}
}

// checkServerTLS reports what of it does not fit together. Where the client's AUTH
// would reach the server, it does not.
func (l *Listener) checkServerTLS(r *report, path string) {
	at := path + ".server_tls"
	t := &l.ServerTLS
	if !r.clean(at) {
		return
	}
	if t.Mode == ServerTLSOff {
		for _, other := range []string{".ca", ".name", ".verify"} {
			if r.given(at + other) {
				r.add(at+other, "means nothing with mode off; write explicit or implicit")
			}
		}
		return
	}
	if !t.Verify && t.CA != "" {
		r.add(at+".ca", "means nothing with verify false")
	}
	switch {
	case !r.given(path + ".tls"):
		l.TLS.Mode = TLSOff
	case l.TLS.Mode == TLSPass && r.clean(path+".tls"):
		r.add(path+".tls", "pass is not possible with server_tls: the gateway itself speaks TLS with the server; write off, refuse, offer or require")
	}
}
