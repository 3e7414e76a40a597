package ftp

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"ftpalg/deploy/lab/internal/socket"
)

// Options say how a Client reaches its server. The zero Options work.
type Options struct {
	// Dial opens the control connection and passive data connections.
	// Default: in the process's namespace.
	Dial func(ctx context.Context, network, local, address string) (net.Conn, error)
	// Listen opens the sockets of active data connections. Default: in the
	// process's namespace.
	Listen func(network, address string) (net.Listener, error)
	// Transcript is told each line of the control connection without its
	// line end, passwords included.
	Transcript func(sent bool, line string)
	// Timeout limits every single wait for the server. Default: 10 s.
	Timeout time.Duration
}

// Client is one control connection to a server. It believes what it is told:
// it connects to exactly the address of a 227, so that a wrong one shows. It
// is for one goroutine at a time, Close excepted.
type Client struct {
	options Options
	control net.Conn
	reader  *bufio.Reader
	local   netip.Addr
	peer    netip.Addr
	buffer  []byte
}

// Connect connects to a server's address and port in digits, and reads its
// greeting.
func Connect(ctx context.Context, address string, options Options) (*Client, error) {
	if options.Dial == nil {
		options.Dial = socket.Dial
	}
	if options.Listen == nil {
		options.Listen = socket.Listen
	}
	if options.Timeout <= 0 {
		options.Timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, options.Timeout)
	defer cancel()
	control, err := options.Dial(ctx, "tcp", "", address)
	if err != nil {
		return nil, fmt.Errorf("connect to FTP server: %w", err)
	}
	c := &Client{
		options: options,
		control: control,
		reader:  bufio.NewReader(control),
		local:   addrPort(control.LocalAddr()).Addr(),
		peer:    addrPort(control.RemoteAddr()).Addr(),
	}
	if err := c.expect("greeting", 2); err != nil {
		_ = control.Close() // the greeting's error says more
		return nil, err
	}
	return c, nil
}

// Login logs in and asks for binary transfers.
func (c *Client) Login(user, password string) error {
	reply, err := c.Cmd("USER " + user)
	if err != nil {
		return err
	}
	if reply.class() == 3 {
		if reply, err = c.Cmd("PASS " + password); err != nil {
			return err
		}
	}
	if reply.class() != 2 {
		return &ReplyError{Command: "login as " + user, Reply: reply}
	}
	return c.Do("TYPE I")
}

// Do sends a command and wants a reply of class 2; another class is a
// *ReplyError.
func (c *Client) Do(line string) error {
	if err := c.Send(line + "\r\n"); err != nil {
		return err
	}
	return c.expect(line, 2)
}

// Cmd sends a command and returns whatever is answered first.
func (c *Client) Cmd(line string) (Reply, error) {
	if err := c.Send(line + "\r\n"); err != nil {
		return Reply{}, err
	}
	return c.Read()
}

// Send sends text as it is, in one write: several commands, half a command,
// or none.
func (c *Client) Send(text string) error {
	for line := range strings.Lines(text) {
		c.transcript(true, line)
	}
	if err := c.control.SetWriteDeadline(time.Now().Add(c.options.Timeout)); err != nil {
		return fmt.Errorf("send %q: %w", text, err)
	}
	if _, err := c.control.Write([]byte(text)); err != nil {
		return fmt.Errorf("send command: %w", err)
	}
	return nil
}

// Read reads one reply.
func (c *Client) Read() (Reply, error) {
	if err := c.control.SetReadDeadline(time.Now().Add(c.options.Timeout)); err != nil {
		return Reply{}, fmt.Errorf("read reply: %w", err)
	}
	reply, err := readReply(c.reader)
	for _, line := range reply.Lines {
		c.transcript(false, line)
	}
	return reply, err
}

// Quit takes leave and closes the control connection.
func (c *Client) Quit() error {
	if err := c.Do("QUIT"); err != nil {
		return err
	}
	return c.Close()
}

// Control returns the control connection, for tests that write to it byte by
// byte or break it off.
func (c *Client) Control() net.Conn { return c.control }

// Close closes the control connection without taking leave.
func (c *Client) Close() error { return c.control.Close() }

func (c *Client) expect(command string, class int) error {
	reply, err := c.Read()
	if err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	if reply.class() != class {
		return &ReplyError{Command: command, Reply: reply}
	}
	return nil
}

func (c *Client) transcript(sent bool, line string) {
	if c.options.Transcript != nil {
		c.options.Transcript(sent, strings.TrimRight(line, "\r\n"))
	}
}
