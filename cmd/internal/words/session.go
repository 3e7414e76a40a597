package words

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/expect"
	"ftpalg/cmd/internal/api"
)

// Session returns what is known of a session as lines of text: who it is,
// what was said and done, and its data connections.
func Session(s api.SessionDetail, now time.Time) []string {
	out := about(s.SessionInfo, now)
	out = append(out, "", "dialogue")
	for _, l := range s.Dialogue {
		out = append(out, said(l, s.Data)...)
	}
	out = append(out, "", "data connections")
	if len(s.Data) == 0 {
		return append(out, "  none so far")
	}
	for _, d := range s.Data {
		out = append(out, data(d, now)...)
	}
	return out
}

func about(s api.Session, now time.Time) []string {
	user := "not logged in"
	if s.User != "" {
		user = "user " + Plain(s.User)
	}
	sees := "not reached yet"
	if s.Seen.IsValid() {
		sees = fmt.Sprintf("sees %s", s.Seen)
	}
	out := []string{
		fmt.Sprintf("session %d of listener %s: %s, %s", s.Session, s.Listener, s.State, user),
		fmt.Sprintf("  client    %s, reached %s", s.Client, s.Reached),
		fmt.Sprintf("  server    %s, %s", s.Server, sees),
		fmt.Sprintf("  began     %s, %s ago, idle for %s", s.Started.Local().Format(time.DateTime), Duration(now.Sub(s.Started)), Duration(seconds(s.Idle))),
		fmt.Sprintf("  said      %s by the client, %s by the server, %d refused", Count(s.ClientLines, "line"), Count(s.ServerLines, "line"), s.Refused),
		fmt.Sprintf("  data      %s promised, %s ended, %s", Count(s.Announced, "connection"), Count(s.Transfers, "transfer"), Traffic(s.Traffic)),
	}
	if s.TLS != nil {
		out = append(out, "  TLS       with the client: "+tls(s.TLS))
	}
	if s.ServerTLS != nil {
		out = append(out, "  TLS       with the server: "+tls(s.ServerTLS))
	}
	if what := Transfer(&s); what != "" {
		out = append(out, fmt.Sprintf("  running   %s for %s", what, Duration(now.Sub(s.Transfer.Began))))
	}
	return out
}

// tls says what protects a connection.
func tls(i *alg.TLSInfo) string {
	text := i.Version + ", " + i.Cipher
	if i.Resumed {
		text += ", resumed"
	}
	if i.Name != "" {
		text += ", for " + Plain(i.Name)
	}
	if i.Client != "" {
		text += ", client " + Plain(i.Client)
	}
	return text
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Traffic returns what was carried, each way.
func Traffic(t alg.Traffic) string {
	if !t.Counted {
		return "no bytes counted"
	}
	return fmt.Sprintf("%s to the client, %s to the server", Bytes(t.FromServer), Bytes(t.FromClient))
}

// Transfer returns what a session transfers at this time, "" for nothing.
func Transfer(s *api.Session) string {
	if s.Transfer == nil {
		return ""
	}
	what := command(s.Transfer.Command, s.Transfer.File)
	if s.Transfer.Relayed {
		what += ", relayed"
	}
	return what
}

func command(verb, file string) string { return strings.TrimSpace(verb + " " + Plain(file)) }

// Arrows stand before each line, with the client on the left.
var arrows = map[alg.Side]string{alg.FromClient: "-->", alg.FromServer: "<--", alg.FromGateway: "<=="}

// indent is as wide as a time and an arrow.
const indent = "                    "

// said returns one line of the dialogue, and below it what was made of it.
func said(l alg.Line, all []alg.DataConnection) []string {
	out := []string{fmt.Sprintf("  %s  %s  %s", l.At.Local().Format("15:04:05.000"), arrows[l.From], Plain(l.Text))}
	switch {
	case l.Refused != "":
		out = append(out, indent+" x  not passed on: "+Reason(l.Refused))
	case l.Told == l.Text:
		out = append(out, indent+" =  passed on as it is"+why(l.Pinhole, all))
	case l.Told != "":
		out = append(out, indent+" *  rewritten to "+Plain(l.Told), indent+"    "+strings.TrimPrefix(why(l.Pinhole, all), ": "))
	}
	return out
}

// why says what a promise is for.
func why(id expect.ID, all []alg.DataConnection) string {
	i := slices.IndexFunc(all, func(d alg.DataConnection) bool { return d.Pinhole == id })
	if i < 0 {
		return fmt.Sprintf(": pinhole %d", id)
	}
	d := all[i]
	who, other := "client", "server"
	if !d.Mode.Passive() {
		who, other = other, who
	}
	switch {
	case d.ServerMode.Passive():
		return fmt.Sprintf(": data connection %d, for which the gateway connects to both", id)
	case d.ServerMode != 0:
		return fmt.Sprintf(": data connection %d, for which both connect to the gateway, the client to %s", id, d.Reached)
	case d.Reached == d.Target:
		return fmt.Sprintf(": pinhole %d lets the %s through to the %s", id, who, other)
	}
	return fmt.Sprintf(": the %s connects to %s, pinhole %d leads it to the %s at %s", who, d.Reached, id, other, d.Target)
}

func data(d alg.DataConnection, now time.Time) []string {
	way := fmt.Sprintf("%s -> %s", d.From, d.Reached)
	if d.Target != d.Reached {
		way += fmt.Sprintf(" => %s", d.Target)
	}
	if d.Seen != d.From {
		way += fmt.Sprintf(", seen as %s", d.Seen)
	}
	if d.Relayed {
		way += ", relayed"
	}
	if d.ServerMode != 0 {
		way += ", " + d.ServerMode.String() + " with the server"
	}
	if d.TLS != nil {
		way += ", the client under " + tls(d.TLS)
	}
	if d.ServerTLS != nil {
		way += ", the server under " + tls(d.ServerTLS)
	}
	use := "no transfer"
	if d.Command != "" {
		use = command(d.Command, d.File)
	}
	return []string{
		fmt.Sprintf("  %-4d %s  %-9s  %s", d.Pinhole, d.Mode, d.State, way),
		fmt.Sprintf("       %s, promised %s ago, %s", use, Duration(now.Sub(d.Promised)), Traffic(d.Traffic)),
	}
}
