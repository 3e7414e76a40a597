package config

import "strings"

// meaning says what the key at a path is for. A policy for some sessions has
// the keys of the listener's own.
func meaning(path string) string {
	if m := meanings[path]; m != "" {
		return m
	}
	return meanings[strings.Replace(path, ".policies[]", "", 1)]
}

// meanings says of every key of the file what it is for: in the JSON Schema,
// and in the manual page ftpalg.yaml(5). A test holds it against the keys that
// are read. A list of mappings is written with [].
var meanings = map[string]string{
	"listeners": "The ways in for control connections, at least one. Each has either listen and server, or transparent.",

	"listeners[].name":                  "Tells listeners apart in logs, metrics and status; unique.",
	"listeners[].listen":                "Where clients reach the server, one address or a list. Either address family will do, whatever the servers have.",
	"listeners[].server":                "The server behind this listener, or a list of servers: then each session gets one of those that accept connections and greet.",
	"listeners[].balance":               "Which of several servers a session gets: one after the other, the one with the fewest sessions, or always the same for one client. Default: round-robin.",
	"listeners[].source":                "What the server sees: an address of the gateway, the client's own, or the one that is given. With client the server's way back to its clients must be the gateway.",
	"listeners[].third_party":           "Whether PORT and EPRT may name another host than the client.",
	"listeners[].modes":                 "Who may open data connections: both sides, the server only (PORT, EPRT), or the client only (PASV, EPSV).",
	"listeners[].commands":              "The set of commands that pass.",
	"listeners[].deny":                  "Further commands that are refused.",
	"listeners[].users":                 "Who may log in: all, anonymous users (RFC 1635), or all others.",
	"listeners[].refusal":               "What a client is told that may not do something. Default: Not allowed here.",
	"listeners[].lowest_data_port":      "The lowest port of a data connection, of a client or of a server.",
	"listeners[].server_data":           "The networks whose addresses in a 227 are taken as they are, as where the members of a balancer answer for themselves. Any other address stands for the server's own.",
	"listeners[].banner":                "The text of the greeting, in the place of the server's own, which tells its make and version.",
	"listeners[].system":                "The text of the reply to SYST, in the place of the server's own.",
	"listeners[].policies":              "What holds for some clients or servers in the place of the listener's own third_party, modes, lowest_data_port, server_data, commands, deny, users, refusal, banner and system, all of them. The first entry that covers a session counts.",
	"listeners[].policies[].clients":    "The networks of the clients. Default: any.",
	"listeners[].policies[].servers":    "The networks of the servers. Default: any.",
	"listeners[].tls":                   "What becomes of TLS with clients: a mode, or a mapping.",
	"listeners[].convert":               "How the server's side of data connections is made: as the client asks, or always passive or active, whatever the client asks.",
	"listeners[].proxy_protocol":        "HAProxy's PROXY protocol, which says who the client is where a balancer stands in between.",
	"listeners[].proxy_protocol.accept": "Networks of balancers: each connection from there begins with a header.",
	"listeners[].proxy_protocol.send":   "The version of the header that begins each connection to the server.",
	"listeners[].proxy_protocol.data":   "Whether data connections that the gateway relays begin with a header, too.",
	"listeners[].server_tls":            "Whether the gateway speaks TLS with the server: a mode, or a mapping.",
	"listeners[].transparent":           "Takes over the control connections that cross this machine; in the place of listen and server.",
	"listeners[].tls.mode":              "With pass AUTH reaches the server, and the session cannot be helped any more; refuse answers 534, off 502. With offer and require the gateway is the end of TLS; require refuses passwords and data in clear.",
	"listeners[].server_tls.ca":         "A PEM file with the authorities of the server's certificate. Default: those of the system.",

	"listeners[].tls.certificate":        "A PEM file with a certificate and its chain, or a list: the client's server name selects one. Files that change are read again.",
	"listeners[].tls.key":                "The PEM file with the key of the certificate; as many as there are certificates.",
	"listeners[].tls.folder":             "A folder with pairs, one a name: NAME.crt or NAME.pem and NAME.key, or a folder NAME with fullchain.pem and privkey.pem, or tls.crt and tls.key. That named default serves clients that name none.",
	"listeners[].tls.implicit":           "Whether TLS begins with the connection, as at port 990. Needs mode require.",
	"listeners[].tls.minimum":            "The least version of TLS.",
	"listeners[].tls.acme":               "Certificates that come from an authority by themselves (ACME, RFC 8555), and are renewed.",
	"listeners[].tls.acme.names":         "The names that the certificates are for, one for each.",
	"listeners[].tls.acme.email":         "Where the authority may write to.",
	"listeners[].tls.acme.agree":         "true says that you agree to the authority's terms; it must be there.",
	"listeners[].tls.acme.http":          "The address at which HTTP-01 is answered; the authority asks at port 80 of each name.",
	"listeners[].tls.acme.tls":           "The address at which TLS-ALPN-01 is answered; the authority asks at port 443 of each name.",
	"listeners[].tls.acme.directory":     "The authority's URL.",
	"listeners[].tls.acme.ca":            "A PEM file with the authorities of the authority's own certificate. Default: those of the system.",
	"listeners[].tls.acme.storage":       "The folder with accounts, keys and certificates.",
	"listeners[].tls.ccc":                "Whether a client may end the TLS of its control connection (CCC), for a NAT on its side that must read it.",
	"listeners[].tls.client_ca":          "A PEM file with the authorities of clients' certificates. Default: no certificate is asked for.",
	"listeners[].tls.client_certificate": "Whether a client may do without a certificate. Needs client_ca.",
	"listeners[].tls.pass_ports":         "With mode pass: ports of the server that are open for the client of a session under TLS, and for nobody else, until it ends. The server must announce its address as clients know it, and take its passive ports from this range. Default: none.",
	"listeners[].tls.data_session":       "Whether a data connection must resume the TLS session of its control connection. Not all clients do.",
	"listeners[].server_tls.mode":        "How TLS with the server begins: not at all, by AUTH, or with the connection.",
	"listeners[].server_tls.name":        "The name that the server's certificate must be for. Default: the server's address.",
	"listeners[].server_tls.verify":      "false takes any certificate.",
	"listeners[].transparent.interface":  "The network interface by which the clients come in.",
	"listeners[].transparent.ports":      "The servers' control ports.",
	"listeners[].transparent.clients":    "The networks of the clients. Default: any.",
	"listeners[].transparent.servers":    "The networks of the servers. Default: any.",
	"listeners[].transparent.method":     "How the kernel hands connections over; redirect where the kernel has no TPROXY.",

	"nat":                "Further NATs in front of this machine, that know no FTP. Default: none.",
	"nat[].local":        "Our address, as it is before that NAT.",
	"nat[].public":       "The same address as it is seen from beyond. A name is looked up again from time to time.",
	"nat[].except":       "Networks of peers that see the local address. Default: none.",
	"nat[].ports":        "How that NAT changes ports. Default: it keeps them.",
	"nat[].ports.local":  "Our ports.",
	"nat[].ports.public": "The same ports as they are seen from beyond; as many.",

	"data":                 "How data connections are let through.",
	"data.path":            "How pinholes are opened: one expectation of connection tracking each, or rules of iptables; auto takes conntrack where a probe at start shows that it works. With relay the process carries all data.",
	"data.passive_ports":   "The ports that clients are told (227, 229). When none is free they get 425.",
	"data.active_ports":    "The ports that servers are told (PORT, EPRT); apart from passive_ports.",
	"data.pinhole_timeout": "How long a promised connection may stay away.",

	"limits":                     "Bounds of what clients may use up.",
	"limits.sessions":            "The most sessions at a time; more get 421.",
	"limits.sessions_per_client": "The most sessions of one address (of one /64 in IPv6).",
	"limits.promises_per_client": "The most data ports that one client holds at a time. Default: a tenth of data.passive_ports, and at least 32.",
	"limits.connect_timeout":     "How long it may take to reach a server.",
	"limits.idle_timeout":        "How long a session may be silent while no transfer runs.",
	"limits.command_line":        "The longest line of a client, in bytes; a longer one gets 500.",
	"limits.drain_timeout":       "How long transfers may go on after SIGTERM.",

	"rates":               "What one client may do in a minute; 0 is no bound.",
	"rates.connections":   "Control connections; more get 421.",
	"rates.failed_logins": "Failed logins; after more the client is turned away for the time ban.",
	"rates.promises":      "Data connections; more get 425.",
	"rates.ban":           "How long a client is turned away after too many failed logins.",

	"admin":            "Where the running gateway can be asked.",
	"admin.socket":     "The Unix socket of status, sessions and their like.",
	"admin.http":       "Where the status page and the metrics are. Default: nowhere.",
	"admin.token":      "What admin.http asks for; it, or token_file, is needed where that is not on loopback. Default: none.",
	"admin.token_file": "A file with nothing but the token in it. Default: none.",
	"admin.pprof":      "Whether the profiles of the process are served at /debug/pprof/.",

	"log":           "What is written, and how.",
	"log.level":     "The least grave event that is logged; trace logs each line of both sides, passwords starred.",
	"log.format":    "The form of a log line.",
	"log.transfers": "The transfer log, a line a file as in xferlog(5); opened anew on SIGUSR1. Default: none.",

	"netfilter":               "Numbers that nobody else on this machine may use; to be changed only where they collide.",
	"netfilter.mark":          "The packet mark of intercepted connections. The next two higher bits mark data connections.",
	"netfilter.route_table":   "The routing table of intercepted connections; not 253 to 255.",
	"netfilter.rule_priority": "The priority of the rule that leads there.",

	"user": "The user that the process runs as which reads from the network. Where there is no user ftpalg, and none is given, it is nobody.",
}
