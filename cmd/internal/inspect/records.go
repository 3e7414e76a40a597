package inspect

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"slices"
	"time"

	"ftpalg/alg/capture"
	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
	"ftpalg/cmd/internal/words"
)

// record is one announcement as JSON.
type record struct {
	Session uint64          `json:"session"`
	Frame   uint64          `json:"frame"`
	Kind    expect.Mode     `json:"kind"`
	Address netip.Addr      `json:"address"`
	Port    uint16          `json:"port"`
	Time    *time.Time      `json:"time,omitempty"`
	Client  netip.AddrPort  `json:"client"`
	Server  netip.AddrPort  `json:"server"`
	Reason  dialogue.Reason `json:"reason,omitempty"`
	Unseen  bool            `json:"command_unseen,omitempty"`
	// Uncertain says that it may be text of a reply whose beginning is lost.
	Uncertain bool        `json:"uncertain,omitempty"`
	Repeats   bool        `json:"repeated,omitempty"`
	Reply     int         `json:"reply,omitempty"`
	Transfer  string      `json:"transfer,omitempty"`
	Result    int         `json:"result,omitempty"`
	Reach     reach       `json:"reach"`
	Data      *dataRecord `json:"data,omitempty"`
	Told      *answer     `json:"told,omitempty"`
}

// dataRecord is the data connection of an announcement as JSON.
type dataRecord struct {
	State    capture.State  `json:"state"`
	First    uint64         `json:"first_frame"`
	Last     uint64         `json:"last_frame"`
	From     netip.AddrPort `json:"from"`
	To       netip.AddrPort `json:"to"`
	SYNs     int            `json:"syns"`
	Sent     int64          `json:"sent"`
	Received int64          `json:"received"`
	By       *netip.Addr    `json:"by,omitempty"`
	Why      string         `json:"why,omitempty"`
}

// records prints announcements as JSON, in the order of their frames. They are
// held until the end, or as many as memory allows: what became of their data
// connections is told with them.
type records struct {
	gateway *gateway
	out     *bufio.Writer
	encoder *json.Encoder
	live    bool
	held    []*capture.Announcement
	err     error
}

// Limits of what is held back.
const (
	maxHeld = 20000
	// livePatience is how long a running capture is held back for the data
	// connection.
	livePatience = 10 * time.Second
)

func newRecords(o Options, g *gateway) *records {
	out := bufio.NewWriter(o.Out)
	return &records{gateway: g, out: out, encoder: json.NewEncoder(words.JSON(out)), live: o.Live}
}

func (r *records) announced(a *capture.Announcement) {
	i := len(r.held)
	for i > 0 && r.held[i-1].Frame > a.Frame {
		i--
	}
	r.held = slices.Insert(r.held, i, a)
	if len(r.held) > maxHeld {
		r.print(len(r.held) / 2)
	}
}

func (r *records) ended(*capture.Session) {}

func (r *records) tick(now time.Time) {
	if !r.live {
		return
	}
	n := 0
	for n < len(r.held) && (now.Sub(r.held[n].Time) > livePatience || settled(r.held[n])) {
		n++
	}
	if n > 0 {
		r.print(n)
		r.flush()
	}
}

// settled reports whether nothing will become of an announcement that has not.
func settled(a *capture.Announcement) bool {
	d, came := a.Data()
	return came && (d.State == capture.Complete || d.State == capture.Cut)
}

func (r *records) print(n int) {
	for _, a := range r.held[:n] {
		if r.err == nil {
			r.err = r.encoder.Encode(r.record(a))
		}
	}
	r.held = slices.Delete(r.held, 0, n)
}

func (r *records) flush() {
	if err := r.out.Flush(); r.err == nil {
		r.err = err
	}
}

func (r *records) finish(capture.Stats, error) error {
	r.print(len(r.held))
	r.flush()
	return r.err
}

func (r *records) record(a *capture.Announcement) record {
	out := record{
		Session: a.Session.Number, Frame: a.Frame, Kind: a.Mode, Address: a.Said.Addr(), Port: a.Said.Port(),
		Client: a.Session.Client, Server: a.Session.Server, Reason: a.Reason, Unseen: a.Unseen, Uncertain: a.Uncertain, Repeats: a.Repeats,
		Reply: a.Reply, Transfer: a.Transfer, Result: a.Result, Reach: reachOf(a), Told: r.gateway.answer(a),
	}
	if !a.Time.IsZero() {
		at := a.Time.UTC()
		out.Time = &at
	}
	if d, came := a.Data(); came {
		out.Data = &dataRecord{
			State: d.State, First: d.First, Last: d.Last, From: d.From, To: d.To, SYNs: d.SYNs,
			Sent: d.Sent, Received: d.Received, Why: d.Why,
		}
		if d.By.IsValid() {
			out.Data.By = &d.By
		}
	}
	return out
}
