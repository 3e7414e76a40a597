package words

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
	"ftpalg/cmd/internal/api"
)

func TestPlainKeepsWhatPrintsAndEscapesTheRest(t *testing.T) {
	for text, want := range map[string]string{
		"pub/file":          "pub/file",
		`a "b" \ c`:         `a "b" \ c`,
		"grün 文件":           "grün 文件",
		"\x1b[2J":           `\x1b[2J`,
		"a\r\nb\t\"c\"\x00": `a\r\nb\t"c"\x00`,
		"\xff\xfe":          `\xff\xfe`,
		"\u202eexe":         `\u202eexe`,
	} {
		if got := Plain(text); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 B", 999: "999 B", 1000: "1.00 kB", 9994: "9.99 kB", 9995: "10.0 kB", 99_949: "99.9 kB", 99_950: "100 kB",
		999_499: "999 kB", 999_500: "1.00 MB", 123_456_789: "123 MB", 1<<64 - 1: "18.4 EB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 250 * time.Millisecond: "250ms", 2400 * time.Millisecond: "2s",
		90 * time.Second: "1m30s", 61 * time.Minute: "1h01m", 49 * time.Hour: "2d01h",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%d is %s, want %s", d, got, want)
		}
	}
}

func TestEveryReasonHasWords(t *testing.T) {
	for _, r := range []dialogue.Reason{
		dialogue.ThirdParty, dialogue.LowPort, dialogue.Syntax, dialogue.Framing, dialogue.TooLong,
		dialogue.Family, dialogue.NotAllowed, dialogue.Sequence, dialogue.NotFTP,
	} {
		if Reason(string(r)) == string(r) {
			t.Errorf("%s has none", r)
		}
	}
	for _, c := range []alg.Cause{alg.CausePool, alg.CauseShare, alg.CauseRate, alg.CauseUnresolved, alg.CauseKernel} {
		if Reason(string(c)) == string(c) {
			t.Errorf("%s has none", c)
		}
	}
	if got := Reason("newer"); got != "newer" {
		t.Errorf("what is unknown becomes %q", got)
	}
}

func TestASessionsWordsTellOfBothSides(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	at := netip.MustParseAddrPort
	s := api.SessionDetail{
		SessionInfo: alg.SessionInfo{
			Session: 7, Listener: "legacy", State: "readable", Started: now, TLS: &alg.TLSInfo{Version: "TLS 1.3", Cipher: "AES"},
			ServerTLS: &alg.TLSInfo{Version: "TLS 1.2", Cipher: "GCM", Resumed: true},
			Transfer:  &alg.RunningTransfer{Command: "RETR", File: "x", Began: now, Relayed: true},
		},
		Dialogue: []alg.Line{{At: now, From: alg.FromClient, Text: "PORT 1", Told: "EPSV", Pinhole: 3}, {At: now, From: alg.FromClient, Text: "PASV", Told: "PORT 2", Pinhole: 4}},
		Data: []alg.DataConnection{
			{Pinhole: 3, Mode: expect.PORT, ServerMode: expect.EPSV, Reached: at("198.18.1.20:5000"), Target: at("203.0.113.10:5001"), Relayed: true, Promised: now,
				ServerTLS: &alg.TLSInfo{Version: "TLS 1.3", Cipher: "AES", Resumed: true}},
			{Pinhole: 4, Mode: expect.PASV, ServerMode: expect.PORT, Reached: at("203.0.113.1:50000"), Relayed: true, Promised: now},
		},
	}
	text := strings.Join(Session(s, now), "\n")
	for _, want := range []string{
		"with the client: TLS 1.3, AES", "with the server: TLS 1.2, GCM, resumed", "RETR x, relayed for",
		"data connection 3, for which the gateway connects to both", "data connection 4, for which both connect to the gateway, the client to 203.0.113.1:50000",
		"relayed, EPSV with the server, the server under TLS 1.3, AES, resumed", "relayed, PORT with the server",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	for want, s := range map[string]api.Session{
		"-": {}, "passed": {State: "opaque"}, "client": {TLS: s.TLS}, "server": {ServerTLS: s.TLS}, "both": {TLS: s.TLS, ServerTLS: s.TLS},
	} {
		if got := Protection(&s); got != want {
			t.Errorf("it is protected %q, want %q", got, want)
		}
	}
}
