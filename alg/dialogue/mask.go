package dialogue

import (
	"strconv"

	"ftpalg/alg/wire"
)

// masked returns the reply that goes to the client in the place of one with
// this code, "" where the server's own passes. The greeting and the reply to
// SYST tell the make of a server, often with its version; nothing else has
// their codes (RFC 959 section 4.2).
func (d *Dialogue) masked(code int) string {
	text := ""
	switch {
	case d.observing:
	case code == wire.Code215System:
		text = d.policy.System
	case code == wire.Code120Later, code == wire.Code220Ready:
		text = d.policy.Banner
	}
	if text == "" {
		return ""
	}
	return strconv.Itoa(code) + " " + text
}
