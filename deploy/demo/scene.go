package main

import (
	"context"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// scene is one part of the story that needs hosts.
type scene struct {
	title    string
	topology func(ctx context.Context, prefix string) (*lab.Topology, error)
	hosts    picture
	intro    string
	// listeners is that part of the gateway's configuration; empty where
	// there is no gateway, only the kernel's NAT.
	listeners string
	iptables  iptables
	modes     []ftp.Mode
}

func scenes() []scene {
	return []scene{withoutGateway(), serverBehindNAT(), clientBehindNAT(), overIPv6()}
}

func withoutGateway() scene {
	return scene{
		title:    "Without the gateway",
		topology: lab.Inbound,
		hosts: picture{
			client: "203.0.113.10", near: "203.0.113.1", far: "198.18.1.1", server: "198.18.1.20",
			left: "outside", middle: "NAT of the kernel, policy DROP", right: "inside",
		},
		intro: `The gateway host has what every NAT has: port 21 is sent on to the server, the
			firewall lets that in, and replies to it.`,
		iptables: iptables{"iptables", (*lab.Host).Iptables},
		modes:    []ftp.Mode{ftp.PASV, ftp.EPSV},
	}
}

func serverBehindNAT() scene {
	return scene{
		title:    "The server is behind NAT",
		topology: lab.Inbound,
		hosts: picture{
			client: "203.0.113.10", near: "203.0.113.1", far: "198.18.1.1", server: "198.18.1.20",
			left: "outside", middle: "ftpalg, policy DROP", right: "inside",
		},
		intro: `The same hosts. ftpalg answers at the public address, and the server sees the
			gateway as its client.`,
		listeners: `listeners:
  - name: inbound
    listen: 203.0.113.1:21
    server: 198.18.1.20:21
    source: gateway
`,
		iptables: iptables{"iptables", (*lab.Host).Iptables},
		modes:    []ftp.Mode{ftp.PASV, ftp.EPSV},
	}
}

func clientBehindNAT() scene {
	return scene{
		title:    "The client is behind NAT",
		topology: lab.Outbound,
		hosts: picture{
			client: "198.18.0.10", near: "198.18.0.1", far: "203.0.113.1", server: "203.0.113.20",
			left: "inside", middle: "ftpalg, policy DROP", right: "outside",
		},
		intro: `ftpalg is transparent: the client connects to the server and knows of nothing.
			Active mode: it is the server that connects, to a client it cannot reach by itself.`,
		listeners: `listeners:
  - name: outbound
    transparent: {interface: lan, ports: [21]}
    source: gateway
`,
		iptables: iptables{"iptables", (*lab.Host).Iptables},
		modes:    []ftp.Mode{ftp.PORT, ftp.EPRT},
	}
}

func overIPv6() scene {
	return scene{
		title:    "IPv6",
		topology: lab.IPv6,
		hosts: picture{
			client: "2001:db8:1::10", near: "2001:db8:1::1", far: "2001:db8:2::1", server: "2001:db8:2::20",
			left: "outside", middle: "ftpalg, policy DROP", right: "inside",
		},
		intro: `No NAT, so every line stays as it is, but the firewall is as strict: ftpalg
			opens the one port that was announced, for the one host that it was announced to.`,
		listeners: `listeners:
  - name: routed
    transparent: {interface: wan, ports: [21]}
    source: client
`,
		iptables: iptables{"ip6tables", (*lab.Host).Ip6tables},
		modes:    []ftp.Mode{ftp.EPSV, ftp.EPRT},
	}
}
