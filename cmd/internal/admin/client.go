package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"ftpalg/cmd/internal/api"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// Client asks a running gateway. Every method fails, naming the socket, if no
// gateway answers there, and otherwise with what the gateway says.
type Client struct {
	socket string
	http   http.Client
}

// NewClient returns a Client for the admin socket at path.
func NewClient(path string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	return &Client{socket: path, http: http.Client{
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: 30 * time.Second,
	}}
}

// Status asks how the gateway is.
func (c *Client) Status() (s api.Status, err error) {
	err = c.get("/status", &s)
	return s, err
}

// Sessions asks for the open sessions.
func (c *Client) Sessions() (s []api.Session, err error) {
	err = c.get("/sessions", &s)
	return s, err
}

// Pinholes asks for the promised data connections.
func (c *Client) Pinholes() (p []api.Pinhole, err error) {
	err = c.get("/pinholes", &p)
	return p, err
}

// Session asks for one session.
func (c *Client) Session(number uint64) (s api.SessionDetail, err error) {
	err = c.get(fmt.Sprintf("/session/%d", number), &s)
	return s, err
}

// Kill ends one session; the error says if there was none.
func (c *Client) Kill(number uint64) error {
	_, err := c.do(http.MethodPost, fmt.Sprintf("/session/%d/kill", number))
	return err
}

// TakeSessions says whether the gateway takes new sessions.
func (c *Client) TakeSessions(yes bool) error {
	what := "/drain"
	if yes {
		what = "/undrain"
	}
	_, err := c.do(http.MethodPost, what)
	return err
}

// Bans asks for the clients that are turned away.
func (c *Client) Bans() (b []api.Ban, err error) {
	err = c.get("/bans", &b)
	return b, err
}

// LiftBan ends the ban of a client; the error says if there was none.
func (c *Client) LiftBan(client netip.Addr) error {
	_, err := c.do(http.MethodPost, "/bans/"+client.String()+"/lift")
	return err
}

// Reload has the configuration read again, and returns why it was not taken.
func (c *Client) Reload() error {
	_, err := c.do(http.MethodPost, "/reload")
	return err
}

// Upgrade has the program that is installed now take over the sessions, and
// returns why it has not. With ifReplaced it is Reload where the running program
// is the one that is installed.
func (c *Client) Upgrade(ifReplaced bool) error {
	patient := *c
	patient.http.Timeout = upgradeTimeout
	what := "/upgrade"
	if ifReplaced {
		what = "/upgrade-if-replaced"
	}
	_, err := patient.do(http.MethodPost, what)
	return err
}

// upgradeTimeout is longer than the gateway waits for a successor.
const upgradeTimeout = 3 * time.Minute

func (c *Client) get(what string, into any) error {
	body, err := c.do(http.MethodGet, what)
	if err != nil {
		return err
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(into); err != nil {
		return fmt.Errorf("read %s from %s: %w", what, c.socket, err)
	}
	return nil
}

// longestAnswer bounds what is read of a gateway, in bytes: its largest table
// has some ten thousand rows.
const longestAnswer = 64 << 20

func (c *Client) do(method, what string) ([]byte, error) {
	req, err := http.NewRequest(method, "http://ftpalg"+what, nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s for %s: %w", c.socket, what, err)
	}
	res, err := c.http.Do(req)
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("no gateway answers at %s: is ftpalg running, and is --socket right?", c.socket)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s: permission denied; run as root or join the socket's group", c.socket)
	case err != nil:
		return nil, fmt.Errorf("ask %s for %s: %w", c.socket, what, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, longestAnswer))
	if err != nil {
		return nil, fmt.Errorf("read %s from %s: %w", what, c.socket, err)
	}
	if res.StatusCode >= 300 {
		return nil, errors.New(strings.TrimSpace(string(body)))
	}
	return body, nil
}
