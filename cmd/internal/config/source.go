package config

import "fmt"

// The words for a Source that is no address.
const (
	wordGateway = "gateway"
	wordClient  = "client"
)

// String returns the source as it is written.
func (s Source) String() string {
	switch s.Kind {
	case SourceGateway:
		return wordGateway
	case SourceClient:
		return wordClient
	default:
		return s.Addr.String()
	}
}

// source is gateway, client, or an address.
func source() codec[Source] {
	return codec[Source]{parseSource, Source.String, described("gateway, client or an IP address")}
}

func parseSource(text string) (Source, error) {
	switch text {
	case wordGateway:
		return Source{Kind: SourceGateway}, nil
	case wordClient:
		return Source{Kind: SourceClient}, nil
	}
	if isName(text) {
		return Source{}, fmt.Errorf("%s is unknown; write gateway, client, or an IP address", quote(text))
	}
	a, err := parseAddr(text)
	if err != nil {
		return Source{}, err
	}
	return Source{Kind: SourceAddress, Addr: a}, nil
}
