package wire

// The reply codes that decide something here, each with its number in its
// name. RFC 959 section 4.2.2 unless another is named.
const (
	Code120Later    = 120
	Code211Status   = 211
	Code215System   = 215
	Code220Ready    = 220
	Code225DataOpen = 225
	Code226Closing  = 226
	Code227Passive  = 227
	Code229Extended = 229 // RFC 2428 section 3
	Code250Done     = 250
	Code426Aborted  = 426
)
