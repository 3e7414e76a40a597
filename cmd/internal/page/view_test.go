package page

import (
	"ftpalg/alg"
	"ftpalg/cmd/internal/api"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func sessionsSeen(t *testing.T, s Snapshot, parameters string) ([]uint64, table[api.Session]) {
	t.Helper()
	values, err := url.ParseQuery(parameters)
	if err != nil {
		t.Fatal(err)
	}
	v, err := parseView(values)
	if err != nil {
		t.Fatal(err)
	}
	got := pick(s.Sessions, v.query, sessionText, v.sessions, sessionColumns)
	var numbers []uint64
	for _, r := range got.Rows {
		numbers = append(numbers, r.Session)
	}
	return numbers, got
}

func TestSearchAndOrder(t *testing.T) {
	s := Snapshot{Sessions: []api.Session{
		{Session: 1, Listener: "legacy", Client: endpoint("192.0.2.7:40000"), Server: endpoint("198.18.1.20:21"), State: "readable", Idle: 3, Traffic: alg.Traffic{FromServer: 500}},
		{Session: 2, Listener: "lan", Client: endpoint("192.0.2.80:40001"), Server: endpoint("198.18.1.21:21"), State: "opaque", Idle: 1, Traffic: alg.Traffic{FromServer: 700}},
		{Session: 3, Listener: "Lan", Client: endpoint("[2001:db8::7]:40002"), Server: endpoint("[2001:db8:1::20]:21"), State: "readable", Idle: 2, Transferring: true, TLS: &alg.TLSInfo{Version: "TLS 1.3"}, Transfer: &alg.RunningTransfer{Relayed: true}, Traffic: alg.Traffic{FromServer: 600}},
	}}
	for _, c := range []struct {
		parameters string
		want       []uint64
	}{
		{"", []uint64{3, 2, 1}},
		{"sessions=session", []uint64{1, 2, 3}},
		{"sessions=idle", []uint64{2, 3, 1}},
		{"sessions=-bytes", []uint64{2, 3, 1}},
		{"sessions=-transferring", []uint64{3, 1, 2}},
		{"sessions=client", []uint64{1, 2, 3}},
		{"q=192.0.2.", []uint64{2, 1}},
		{"q=LAN", []uint64{3, 2}},
		{"q=lan+opaque", []uint64{2}},
		{"q=%20%20in+progress", []uint64{3}},
		{"q=tls+1.3", []uint64{3}},
		{"q=relayed", []uint64{3}},
		{"q=%232", []uint64{2}},
		{"q=2001:db8::7", []uint64{3}},
		{"q=nothing", nil},
	} {
		if got, _ := sessionsSeen(t, s, c.parameters); !slices.Equal(got, c.want) {
			t.Errorf("?%s shows %v, want %v", c.parameters, got, c.want)
		}
	}
}

func TestEveryColumnOfThePageCanBeSortedBy(t *testing.T) {
	html, err := assets.ReadFile("assets/page.html")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(html), "data-column="); n != len(sessionColumns)+len(pinholeColumns) {
		t.Errorf("%d columns on the page", n)
	}
	for c := range sessionColumns {
		assertColumn(t, string(html), "sessions", c)
	}
	for c := range pinholeColumns {
		assertColumn(t, string(html), "pinholes", c)
	}
	s := newLively(20).Snapshot()
	for c, compare := range pinholeColumns {
		got := pick(s.Pinholes, "", pinholeText, order{column: c}, pinholeColumns)
		if !slices.IsSortedFunc(got.Rows, compare) {
			t.Errorf("pinholes are not sorted by %s", c)
		}
	}
}

func assertColumn(t *testing.T, html, table, column string) {
	t.Helper()
	_, rest, _ := strings.Cut(html, `<table id="`+table+`"`)
	head, _, _ := strings.Cut(rest, "</thead>")
	if !strings.Contains(head, `data-column="`+column+`"`) {
		t.Errorf("table %s has no column %s", table, column)
	}
}

func TestWhatCannotBeShownIsSaid(t *testing.T) {
	for _, parameters := range []string{"sessions=password", "pinholes=-", "q=" + strings.Repeat("x", longestQuery+1)} {
		values, _ := url.ParseQuery(parameters)
		if v, err := parseView(values); err == nil {
			t.Errorf("%.30s is %+v", parameters, v)
		}
	}
}

func TestTenThousandSessionsCostAFewHundredRows(t *testing.T) {
	s := newLively(9999).Snapshot()
	numbers, got := sessionsSeen(t, s, "sessions=session")
	if len(numbers) != mostRows || got.Matched != 10000 || got.Total != 10000 || numbers[mostRows-1] != mostRows {
		t.Errorf("%d rows of %d, last %v", len(numbers), got.Matched, numbers[len(numbers)-1])
	}
	begin := time.Now()
	text, err := encode(&s, view{query: "198.51.100", sessions: order{column: "bytes"}, pinholes: order{column: "expires"}})
	if err != nil || len(text) > 150_000 {
		t.Errorf("a frame has %d bytes, %v", len(text), err)
	}
	t.Logf("%d bytes in %v", len(text), time.Since(begin))
}
