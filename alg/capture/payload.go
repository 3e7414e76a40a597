package capture

import "github.com/google/gopacket"

// payload stands for a header that was read without gopacket, with what
// follows it.
type payload struct{ data []byte }

// LayerType implements gopacket.Layer.
func (p *payload) LayerType() gopacket.LayerType { return gopacket.LayerTypePayload }

// LayerContents implements gopacket.Layer.
func (p *payload) LayerContents() []byte { return nil }

// LayerPayload implements gopacket.Layer.
func (p *payload) LayerPayload() []byte { return p.data }
