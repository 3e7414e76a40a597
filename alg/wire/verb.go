package wire

// Verb is the name of a command in upper case. The empty Verb is a command
// that no document defines.
type Verb string

// The verbs of the registry in RFC 5797 section 3, and what came later.
const (
	// RFC 959 section 4.1.
	ABOR Verb = "ABOR"
	ACCT Verb = "ACCT"
	ALLO Verb = "ALLO"
	APPE Verb = "APPE"
	CDUP Verb = "CDUP"
	CWD  Verb = "CWD"
	DELE Verb = "DELE"
	HELP Verb = "HELP"
	LIST Verb = "LIST"
	MKD  Verb = "MKD"
	MODE Verb = "MODE"
	NLST Verb = "NLST"
	NOOP Verb = "NOOP"
	PASS Verb = "PASS"
	PASV Verb = "PASV"
	PORT Verb = "PORT"
	PWD  Verb = "PWD"
	QUIT Verb = "QUIT"
	REIN Verb = "REIN"
	REST Verb = "REST"
	RETR Verb = "RETR"
	RMD  Verb = "RMD"
	RNFR Verb = "RNFR"
	RNTO Verb = "RNTO"
	SITE Verb = "SITE"
	SMNT Verb = "SMNT"
	STAT Verb = "STAT"
	STOR Verb = "STOR"
	STOU Verb = "STOU"
	STRU Verb = "STRU"
	SYST Verb = "SYST"
	TYPE Verb = "TYPE"
	USER Verb = "USER"

	// RFC 775, kept by RFC 1123 section 4.1.3.1.
	XCUP Verb = "XCUP"
	XCWD Verb = "XCWD"
	XMKD Verb = "XMKD"
	XPWD Verb = "XPWD"
	XRMD Verb = "XRMD"

	// RFC 1639 section 4.
	LPRT Verb = "LPRT"
	LPSV Verb = "LPSV"

	// RFC 2228 section 3.
	ADAT Verb = "ADAT"
	AUTH Verb = "AUTH"
	CCC  Verb = "CCC"
	CONF Verb = "CONF"
	ENC  Verb = "ENC"
	MIC  Verb = "MIC"
	PBSZ Verb = "PBSZ"
	PROT Verb = "PROT"

	// RFC 2389 sections 3 and 4, RFC 2640 section 4.
	FEAT Verb = "FEAT"
	OPTS Verb = "OPTS"
	LANG Verb = "LANG"

	// RFC 2428 sections 2 and 3.
	EPRT Verb = "EPRT"
	EPSV Verb = "EPSV"

	// RFC 3659 sections 3, 4 and 7.
	MDTM Verb = "MDTM"
	MLSD Verb = "MLSD"
	MLST Verb = "MLST"
	SIZE Verb = "SIZE"

	// RFC 6384 section 11, RFC 7151 section 3.
	ALGS Verb = "ALGS"
	HOST Verb = "HOST"
)

var verbs = [...]Verb{
	ABOR, ACCT, ADAT, ALGS, ALLO, APPE, AUTH, CCC, CDUP, CONF, CWD, DELE, ENC, EPRT, EPSV, FEAT,
	HELP, HOST, LANG, LIST, LPRT, LPSV, MDTM, MIC, MKD, MLSD, MLST, MODE, NLST, NOOP, OPTS, PASS,
	PASV, PBSZ, PORT, PROT, PWD, QUIT, REIN, REST, RETR, RMD, RNFR, RNTO, SITE, SIZE, SMNT, STAT,
	STOR, STOU, STRU, SYST, TYPE, USER, XCUP, XCWD, XMKD, XPWD, XRMD,
}

// Transfers reports whether the command opens a data connection.
func (v Verb) Transfers() bool {
	switch v {
	case RETR, STOR, STOU, APPE, LIST, NLST, MLSD:
		return true
	}
	return false
}

// verbOf returns the verb that name is in any case, or the empty Verb.
func verbOf(name []byte) Verb {
	for i := range verbs { // not their values: that would copy the array
		if equalFold(name, string(verbs[i])) {
			return verbs[i]
		}
	}
	return ""
}

// equalFold reports whether text is upper, an upper-case ASCII word, but for
// the case of ASCII letters. No other letter folds into them.
func equalFold(text []byte, upper string) bool {
	if len(text) != len(upper) {
		return false
	}
	for i, c := range text {
		if isLetter(c) {
			c &^= 0x20
		}
		if c != upper[i] {
			return false
		}
	}
	return true
}
