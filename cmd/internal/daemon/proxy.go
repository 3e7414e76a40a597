package daemon

import (
	"fmt"
	"net/netip"

	"ftpalg/alg"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/proxyprotocol"
)

// proxyProtocol returns how a listener speaks the PROXY protocol, nil for not at
// all.
func proxyProtocol(p *config.ProxyProtocol) *alg.ProxyProtocol {
	if p == nil {
		return nil
	}
	out := &alg.ProxyProtocol{Accept: p.Accept, Read: takeHeader, Data: p.Data}
	if version := headerVersions[p.Send]; version != 0 {
		out.Header = func(client, reached netip.AddrPort) []byte { return proxyprotocol.Header(version, client, reached) }
	}
	return out
}

var headerVersions = map[config.ProxyVersion]byte{config.ProxyV1: 1, config.ProxyV2: 2}

func takeHeader(c alg.Conn) (client, reached netip.AddrPort, err error) {
	tcp, ok := c.(proxyprotocol.Conn)
	if !ok {
		return client, reached, fmt.Errorf("%T is no TCP connection", c)
	}
	return proxyprotocol.Take(tcp)
}
