package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

const pageToken = "6f1c0e5b9a7d4832"

// shown is what these tests read of a snapshot of the status page.
type shown struct {
	Ready    bool
	Path     string
	Sessions struct {
		Rows []struct {
			Client     string
			FromServer uint64 `json:"from_server"`
		}
	}
	Refusals []struct {
		Reason string
		Count  int
	}
	Traffic struct{ Bytes, Transfers []float64 }
}

func TestStatusPageShowsWhatGoesOn(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	_, err := s.Gateway.Command(t.Context(), "sysctl", "-qw", "net.netfilter.nf_conntrack_acct=1").Output()
	try(t, err)
	startGateway(t, s.Gateway, settings{listeners: frontingClient, admin: ", http: 127.0.0.1:9121, token: " + pageToken})
	c := s.connect(t)
	fetch(t, c, s.server.files, ftp.PASV, "pub/small")
	says(t, c, "PORT 192,0,2,99,200,10", 501)

	events := openEvents(t, s.Gateway)
	within(t, waitTimeout, "the page shows the transfer", func() error {
		f, err := nextShown(events)
		if err != nil {
			return err
		}
		return f.complete()
	})
	try(t, c.Quit())
}

// complete says what is missing of a session that has fetched a file and
// named another host.
func (f *shown) complete() error {
	switch {
	case !f.Ready || f.Path != dataPath():
		return fmt.Errorf("ready is %v, the path %q", f.Ready, f.Path)
	case len(f.Sessions.Rows) != 1 || f.Sessions.Rows[0].FromServer == 0:
		return fmt.Errorf("the sessions are %+v", f.Sessions.Rows)
	case len(f.Refusals) != 1 || f.Refusals[0].Reason != "PORT to another host" || f.Refusals[0].Count != 1:
		return fmt.Errorf("the refusals are %+v", f.Refusals)
	case total(f.Traffic.Bytes) == 0 || total(f.Traffic.Transfers) == 0:
		return errors.New("the charts are empty")
	}
	return nil
}

func total(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// openEvents opens the stream of the status page on a gateway's host.
func openEvents(t *testing.T, on *lab.Host) *bufio.Reader {
	t.Helper()
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, to string) (net.Conn, error) { return on.Dial(ctx, network, "", to) },
	}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:9121/events", nil)
	try(t, err)
	bare, err := client.Do(req)
	try(t, err)
	bare.Body.Close()
	if bare.StatusCode != http.StatusUnauthorized {
		t.Errorf("without the token: %s", bare.Status)
	}
	req.Header.Set("Authorization", "Bearer "+pageToken)
	res, err := client.Do(req)
	try(t, err)
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		t.Fatalf("with the token: %s", res.Status)
	}
	return bufio.NewReader(res.Body)
}

// nextShown reads one event.
func nextShown(events *bufio.Reader) (f shown, err error) {
	text, err := events.ReadString('\n')
	if err != nil {
		return f, err
	}
	if _, err := events.ReadString('\n'); err != nil {
		return f, err
	}
	return f, json.Unmarshal([]byte(strings.TrimPrefix(text, "data: ")), &f)
}
