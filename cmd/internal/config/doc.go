// Package config reads ftpalg's configuration: one YAML file, read strictly.
// What is wrong with it is reported all at once, in file order, each error
// with its position and, where it can be told, with what would be right.
//
// # The file
//
// Only listeners is required. Values that are not marked otherwise are the
// defaults.
//
//	listeners:
//	  - name: legacy                 # letters, digits, ".", "_", "-"; at most 32
//	    listen: 203.0.113.1:21       # one address with its port, or a list
//	    server: 198.18.1.20:21       # or a list of one family; that of listen may be the other
//	    balance: round-robin         # of several: least-sessions, or source, always the same for a client
//	    source: gateway              # what the server sees: gateway, client, or an address
//	    tls: pass                    # AUTH: pass (the session becomes opaque), refuse or off; or a
//	                                 # mapping with mode offer or require: TLS with the client ends here
//	    #  mode: require             # no password, and no data, in clear
//	    #  certificate: /etc/ftpalg/tls/cert.pem   # with its chain; a list serves several names
//	    #  key: /etc/ftpalg/tls/key.pem            # a list likewise
//	    #  folder: /etc/ftpalg/tls/names           # or one pair a name: NAME.crt and NAME.key
//	    #  acme:                     # or from an authority by itself
//	    #    names: [ftp.example.net]
//	    #    email: ops@example.net
//	    #    agree: true             # to the authority's terms
//	    #    http: 203.0.113.1:80    # where it is answered: HTTP-01; or
//	    #    tls: 203.0.113.1:443    # TLS-ALPN-01
//	    #    directory: https://acme-v02.api.letsencrypt.org/directory
//	    #    ca: /etc/ftpalg/tls/acme.pem      # default: the system's authorities
//	    #    storage: /var/lib/ftpalg/acme
//	    #  implicit: false           # TLS from the first byte on, as at port 990
//	    #  minimum: "1.2"            # or "1.3"
//	    #  client_ca: /etc/ftpalg/tls/clients.pem  # default: no certificate is asked for
//	    #  client_certificate: required            # or optional
//	    #  data_session: off         # or require: data must resume its control connection's session
//	    #  ccc: refuse               # or allow: a client may go on in clear once it has logged in
//	    server_tls: off              # the gateway speaks TLS with the server: explicit (AUTH) or implicit; or
//	    #  mode: explicit            # a mapping
//	    #  ca: /etc/ftpalg/tls/servers.pem         # default: the system's authorities
//	    #  name: ftp.example.net     # that its certificate is for; default: the server's address
//	    #  verify: true              # false takes any certificate
//	    proxy_protocol:              # HAProxy's PROXY protocol; default: not spoken
//	      accept: [198.18.9.0/24]    # of balancers whose connections say who the client is
//	      send: off                  # or v1 or v2: to the server
//	      data: true                 # relayed data connections begin so, too
//	    convert: off                 # or passive: the gateway connects to the server, whatever the client
//	                                 # asks for; or active: the server connects to the gateway
//	    third_party: refuse          # PORT and EPRT that name another host: refuse or allow
//	    modes: any                   # or active (PORT, EPRT) or passive (PASV, EPSV) only
//	    commands: all                # or read-only or upload-only
//	    deny: [DELE, SITE CHMOD]     # commands that are refused besides; default: none
//	    users: any                   # or anonymous (RFC 1635) or named only
//	    refusal: Not allowed here.   # what those are told who may not
//	  - name: lan
//	    transparent:                 # in place of listen and server
//	      interface: lan             # where the clients are; no default
//	      ports: [21]
//	      clients: [198.18.0.0/24]   # default: any
//	      servers: [0.0.0.0/0]       # default: any
//	      method: tproxy             # or redirect
//
//	nat:                             # default: none
//	  - local: 198.18.2.10           # our address
//	    public: 203.0.113.80         # the same seen from beyond; an address, or a name
//	    except: [198.18.0.0/15]      # peers that see us untranslated; default: none
//	    ports: {local: 50000-50099, public: 60000-60099}   # default: unchanged
//
//	data:
//	  path: auto                     # auto, conntrack, iptables or relay
//	  passive_ports: 50000-50999
//	  active_ports: 51000-51999
//	  pinhole_timeout: 60s           # 1s to 1h
//
//	limits:
//	  sessions: 10000                # 1 to 1000000
//	  sessions_per_client: 100       # 1 to sessions
//	  promises_per_client: 100       # data ports of one client; a tenth of passive_ports, at least 32
//	  connect_timeout: 10s           # up to 10m
//	  idle_timeout: 15m              # up to 168h
//	  command_line: 4096             # bytes, 512 to 65536
//	  drain_timeout: 30s             # transfers after SIGTERM, up to 1h
//
//	rates:                           # what one client may do in a minute; 0 means no bound
//	  connections: 0                 # up to 1000000, as the others
//	  failed_logins: 0               # then it is turned away for ban
//	  promises: 0                    # data connections
//	  ban: 10m                       # 1s to 168h
//
//	admin:
//	  socket: /run/ftpalg/admin.sock
//	  http: 127.0.0.1:9121           # default: off
//	  token: 6f1c0e5b9a7d4832        # 16 to 512 characters; required where http is not on loopback
//	  token_file: /etc/ftpalg/token  # in place of token: a file with nothing else in it
//	  pprof: false                   # profiles of the process at /debug/pprof/: true or false
//
//	log:
//	  level: info                    # error, warn, info, debug, trace
//	  format: json                   # or text
//	  transfers: /var/log/ftpalg/xferlog   # default: off
//
//	netfilter:                       # change these only where they collide
//	  mark: 0x2000000                # a single bit
//	  route_table: 2121
//	  rule_priority: 2121
//
// Addresses are IP addresses and never names, except nat's public. An IPv4
// address inside IPv6 (::ffff:203.0.113.1) and zones (fe80::1%lan) are
// refused. Anchors and aliases work; merge keys, tags and a second document
// are refused. A file is at most 1 MiB and holds at most 10000 values.
//
// # Reload
//
// A reload may change everything but data.path, admin.* and netfilter.*:
// these are held by the running process and by the kernel, so that they need a
// restart. NeedsRestart names those that differ.
package config
