package dialogue

import (
	"net/netip"
	"strings"
	"testing"

	"ftpalg/alg/wire"
)

// played plays lines of both sides, "> " the client's and "< " the server's,
// and returns what came of each: "-> " what the server got, "<- " what the
// client got.
func played(t *testing.T, p Policy, lines ...string) (out []string) {
	t.Helper()
	d := New(p, netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("198.18.1.20"))
	var commands wire.CommandSplitter
	var replies wire.ReplySplitter
	told := func(b []byte) {
		for line := range strings.Lines(string(b)) {
			out = append(out, "<- "+strings.TrimRight(line, "\r\n"))
		}
	}
	for _, l := range append([]string{"< 220 ready"}, lines...) {
		text := []byte(l[2:] + "\r\n")
		var v Verdict
		if l[0] == '>' {
			line, _ := commands.Next(text)
			if v = d.Command(line); v.Action == Pass {
				out = append(out, "-> "+l[2:])
			}
		} else {
			line, _ := replies.Next(text)
			v = d.Reply(line)
			if v.Action == Pass {
				told(v.Before)
				told(line.Bytes)
			}
		}
		told(v.Answer)
		if v.SwitchTLS {
			out = append(out, "TLS")
			d.Secured()
		}
	}
	return out[1:]
}

func TestTLSThatEndsHere(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy Policy
		lines  []string
		want   string
	}{
		{"the usual way", Policy{TLS: OfferTLS}, []string{"> AUTH TLS", "> PBSZ 0", "> PROT P", "> USER joe"},
			"<- 234 Begin TLS.|TLS|<- 200 PBSZ=0|<- 200 Data is protected.|-> USER joe"},
		{"out of order", Policy{TLS: OfferTLS}, []string{"> PBSZ 0", "> PROT P", "> AUTH TLS", "> PROT P", "> AUTH TLS"},
			"<- 503 PBSZ comes after AUTH.|<- 503 PROT comes after AUTH and PBSZ.|<- 234 Begin TLS.|TLS|<- 503 PROT comes after AUTH and PBSZ.|<- 503 The control connection is protected already."},
		{"levels", Policy{TLS: OfferTLS}, []string{"> AUTH TLS-C", "> PBSZ 0", "> PROT C", "> PROT S", "> PROT X", "> prot p", "> CCC"},
			"<- 234 Begin TLS.|TLS|<- 200 PBSZ=0|<- 200 Data is in clear.|<- 536 TLS knows PROT C and PROT P only.|<- 504 PROT level is not known.|<- 200 Data is protected.|<- 533 The control connection stays protected."},
		{"another mechanism", Policy{TLS: OfferTLS}, []string{"> AUTH KERBEROS_V4 and a long one more"},
			"<- 504 AUTH KERBEROS_V4 is not known, say AUTH TLS."},
		{"AUTH waits for its turn", Policy{TLS: OfferTLS}, []string{"> NOOP", "> AUTH TLS", "< 200 ok"},
			"-> NOOP|<- 200 ok|<- 234 Begin TLS.|TLS"},
		{"required", Policy{TLS: RequireTLS}, []string{"> USER joe", "> PASS x", "> NOOP", "< 200 ok", "> AUTH SSL", "> USER joe", "> RETR x"},
			"<- 530 TLS is required here: say AUTH TLS first.|<- 530 TLS is required here: say AUTH TLS first.|-> NOOP|<- 200 ok|<- 234 Begin TLS.|TLS|-> USER joe|-> RETR x"},
		{"required for data", Policy{TLS: RequireTLS}, []string{"> AUTH TLS", "> LIST", "> PBSZ 0", "> PROT C", "> PROT P", "> LIST"},
			"<- 234 Begin TLS.|TLS|<- 521 Data in clear is refused here: say PROT P first.|<- 200 PBSZ=0|<- 534 Data in clear is refused here.|<- 200 Data is protected.|-> LIST"},
		{"FEAT of many lines", Policy{TLS: OfferTLS}, []string{"> FEAT", "< 211-Features:", "<  EPSV", "<  AUTH SSL", "<  prot", "<  MDTM", "< 211 End"},
			"-> FEAT|<- 211-Features:|<-  EPSV|<-  MDTM|<-  AUTH TLS|<-  PBSZ|<-  PROT|<- 211 End"},
		{"FEAT of many codes", Policy{TLS: OfferTLS}, []string{"> FEAT", "< 211-Features:", "< 211-AUTH TLS", "< 211-MDTM", "< 211 End"},
			"-> FEAT|<- 211-Features:|<- 211-MDTM|<-  AUTH TLS|<-  PBSZ|<-  PROT|<- 211 End"},
		{"FEAT of one line", Policy{TLS: OfferTLS}, []string{"> FEAT", "< 211 none"},
			"-> FEAT|<- 211-Features:|<-  AUTH TLS|<-  PBSZ|<-  PROT|<- 211 none"},
		{"a server without FEAT", Policy{TLS: OfferTLS}, []string{"> FEAT", "< 502 what?"},
			"-> FEAT|<- 211-Features:|<-  AUTH TLS|<-  PBSZ|<-  PROT|<- 211 End"},
		{"TLS with the server", Policy{ServerTLS: true, TLS: HideTLS}, []string{"> AUTH TLS", "> PROT C", "> REIN", "> FEAT", "< 211-Features:", "<  AUTH TLS", "<  MDTM", "< 211 End"},
			"<- 502 Command not implemented.|<- 502 Command not implemented.|<- 502 Command not implemented.|-> FEAT|<- 211-Features:|<-  MDTM|<- 211 End"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(played(t, c.policy, c.lines...), "|")
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", strings.ReplaceAll(got, "|", "\n"), strings.ReplaceAll(c.want, "|", "\n"))
			}
		})
	}
}

// A capture shows what has happened, whatever the configuration would have
// made of it.
func TestObservedTLSIsThatOfTheServer(t *testing.T) {
	d := Observe(Policy{TLS: RequireTLS, ServerTLS: true}, netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("198.18.1.20"), false)
	var commands wire.CommandSplitter
	var replies wire.ReplySplitter
	line, _ := commands.Next([]byte("AUTH TLS\r\n"))
	if v := d.Command(line); v.Action != Pass || v.SwitchTLS {
		t.Errorf("AUTH: %+v", v)
	}
	line, _ = replies.Next([]byte("234 go\r\n"))
	if v := d.Reply(line); !v.Opaque {
		t.Errorf("234: %+v", v)
	}
}
