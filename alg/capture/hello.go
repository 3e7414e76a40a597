package capture

import (
	"bytes"
	"crypto/tls"

	"golang.org/x/crypto/cryptobyte"
)

// Protection is what the beginning of TLS shows of it (RFC 8446 section 4.1, RFC 5246
// section 7.4.1): the rest is encrypted.
type Protection struct {
	// Version and Cipher are those that the server has chosen.
	Version, Cipher string
	// Name is that which the client asks for (SNI), "" for none.
	Name string
	// Resumed says that an earlier connection's secrets are used again.
	Resumed bool
}

// longestHello bounds what is held of a handshake, in bytes of each side.
const longestHello = 16 << 10

// handshake reads the two hellos.
type handshake struct {
	records [2][]byte // as they came, not yet taken
	said    [2][]byte // what they carry
	name    string
	session []byte // that the client offers
}

// Types of records and messages, and extensions.
const (
	recordHandshake                           = 22
	messageClientHello, messageServerHello    = 1, 2
	extensionName, extensionPSK, extensionVer = 0, 41, 43
)

// take takes what a side has said, the client's or the server's. It returns what is
// known once the server has chosen; over says that no more is to come.
func (h *handshake) take(byServer bool, data []byte) (found *Protection, over bool) {
	side := 0
	if byServer {
		side = 1
	}
	h.records[side] = append(h.records[side], data...)
	if !h.unpack(side) || len(h.records[side])+len(h.said[side]) > longestHello {
		return nil, true
	}
	for {
		kind, message, ok := h.message(side)
		switch {
		case !ok:
			return nil, false
		case kind == messageClientHello && !byServer:
			h.clientHello(message)
		case kind == messageServerHello && byServer:
			if found, retry := h.serverHello(message); !retry {
				return found, true
			}
		default:
			return nil, true
		}
	}
}

func (h *handshake) heldBytes() (n int) {
	for side := range h.records {
		n += cap(h.records[side]) + cap(h.said[side])
	}
	return n
}

// unpack takes whole records off, and reports whether all are of a handshake that
// may yet show something. One of another kind (change_cipher_spec) is passed over.
func (h *handshake) unpack(side int) bool {
	const head, longest = 5, 1<<14 + 256
	for len(h.records[side]) >= head {
		r := h.records[side]
		length := int(r[3])<<8 | int(r[4])
		if r[0] < 20 || r[0] > 24 || length > longest {
			return false
		}
		if len(r) < head+length {
			return true
		}
		if r[0] == recordHandshake {
			h.said[side] = append(h.said[side], r[head:head+length]...)
		}
		h.records[side] = r[head+length:]
	}
	return true
}

// message takes the next whole message.
func (h *handshake) message(side int) (kind uint8, body cryptobyte.String, ok bool) {
	s := cryptobyte.String(h.said[side])
	if !s.ReadUint8(&kind) || !s.ReadUint24LengthPrefixed(&body) {
		return 0, nil, false
	}
	h.said[side] = s
	return kind, body, true
}

// beginning reads what both hellos begin with: version, random and session.
func beginning(s *cryptobyte.String) (version uint16, random, session []byte, ok bool) {
	var id cryptobyte.String
	ok = s.ReadUint16(&version) && s.ReadBytes(&random, 32) && s.ReadUint8LengthPrefixed(&id)
	return version, random, id, ok
}

func (h *handshake) clientHello(s cryptobyte.String) {
	var suites, methods cryptobyte.String
	_, _, session, ok := beginning(&s)
	if !ok || !s.ReadUint16LengthPrefixed(&suites) || !s.ReadUint8LengthPrefixed(&methods) {
		return
	}
	h.session = bytes.Clone(session)
	extensions(s, func(kind uint16, data cryptobyte.String) {
		var names, name cryptobyte.String
		var of uint8
		if kind == extensionName && data.ReadUint16LengthPrefixed(&names) && names.ReadUint8(&of) && of == 0 && names.ReadUint16LengthPrefixed(&name) {
			h.name = printable(name)
		}
	})
}

// retryRandom marks a ServerHello that asks for another ClientHello (RFC 8446 section
// 4.1.3).
var retryRandom = []byte("\xCF\x21\xAD\x74\xE5\x9A\x61\x11\xBE\x1D\x8C\x02\x1E\x65\xB8\x91\xC2\xA2\x11\x16\x7A\xBB\x8C\x5E\x07\x9E\x09\xE2\xC8\xA8\x33\x9C")

func (h *handshake) serverHello(s cryptobyte.String) (found *Protection, retry bool) {
	var cipher uint16
	var method uint8
	version, random, session, ok := beginning(&s)
	if !ok || !s.ReadUint16(&cipher) || !s.ReadUint8(&method) {
		return nil, false
	}
	if bytes.Equal(random, retryRandom) {
		return nil, true
	}
	resumed := len(session) > 0 && bytes.Equal(session, h.session)
	extensions(s, func(kind uint16, data cryptobyte.String) {
		if kind == extensionVer && data.ReadUint16(&version) {
			resumed = false // the session is but repeated (RFC 8446 appendix D.4)
		}
	})
	extensions(s, func(kind uint16, _ cryptobyte.String) { resumed = resumed || kind == extensionPSK })
	return &Protection{Version: tls.VersionName(version), Cipher: tls.CipherSuiteName(cipher), Name: h.name, Resumed: resumed}, false
}

// extensions calls each for the extensions that a hello ends with.
func extensions(s cryptobyte.String, each func(kind uint16, data cryptobyte.String)) {
	var all cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&all) {
		return
	}
	for !all.Empty() {
		var kind uint16
		var data cryptobyte.String
		if !all.ReadUint16(&kind) || !all.ReadUint16LengthPrefixed(&data) {
			return
		}
		each(kind, data)
	}
}
