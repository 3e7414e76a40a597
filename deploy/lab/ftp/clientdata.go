package ftp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
)

// Mode is the command that announces a data connection.
type Mode string

// The four modes (RFC 959 section 4.1.2, RFC 2428).
const (
	PASV Mode = "PASV"
	EPSV Mode = "EPSV"
	PORT Mode = "PORT"
	EPRT Mode = "EPRT"
)

// Transfer is what a client knows of a data connection.
type Transfer struct {
	// Mode is how it was announced.
	Mode Mode
	// Told is the announced address and port: by the server in a 227; in a
	// 229 with the control connection's address; by the client in PORT, EPRT.
	Told netip.AddrPort
	// Peer is the other end as the client's socket sees it.
	Peer netip.AddrPort
	// Bytes is how many bytes were moved.
	Bytes int64
}

// Data is an open data connection whose transfer has begun.
type Data struct {
	net.Conn
	// Transfer is filled in except for Bytes.
	Transfer Transfer
	client   *Client
}

// Open announces a data connection, sends a command that uses it, and returns
// once the server said 1xx and the connection is there. A refusal is a
// *ReplyError.
func (c *Client) Open(mode Mode, command string) (*Data, error) {
	open := c.openActive
	if mode == PASV || mode == EPSV {
		open = c.openPassive
	}
	data, err := open(mode, command)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", mode, command, err)
	}
	data.client = c
	data.Transfer.Mode = mode
	data.Transfer.Peer = addrPort(data.RemoteAddr())
	return data, nil
}

// Finish closes the data connection and reads the server's last word, which
// should be of class 2.
func (d *Data) Finish() error {
	if err := d.Close(); err != nil {
		return fmt.Errorf("close data connection: %w", err)
	}
	return d.client.expect("end of transfer", 2)
}

func (c *Client) openPassive(mode Mode, command string) (*Data, error) {
	reply, err := c.Cmd(string(mode))
	if err != nil {
		return nil, err
	}
	told, err := c.told(mode, reply)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.options.Timeout)
	defer cancel()
	conn, err := c.options.Dial(ctx, network(told.Addr()), "", told.String())
	if err != nil {
		return nil, fmt.Errorf("told %s: %w", told, err)
	}
	if err := c.startTransfer(command); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &Data{Conn: conn, Transfer: Transfer{Told: told}}, nil
}

func (c *Client) openActive(mode Mode, command string) (*Data, error) {
	listener, err := listenAnywhere(c.options.Listen, c.local)
	if err != nil {
		return nil, err
	}
	defer listener.Close() // one connection only; no error of it matters then
	told := addrPort(listener.Addr())
	argument := formatExtended(told)
	if mode == PORT {
		argument = formatSix(told)
	}
	if err := c.Do(string(mode) + " " + argument); err != nil {
		return nil, err
	}
	if err := c.startTransfer(command); err != nil {
		return nil, err
	}
	conn, err := acceptWithin(listener, c.options.Timeout)
	if err != nil {
		return nil, fmt.Errorf("no connection to %s: %w", told, err)
	}
	if from := addrPort(conn.RemoteAddr()).Addr(); from != c.peer {
		return nil, errors.Join(fmt.Errorf("data connection from %s, control connection to %s", from, c.peer), conn.Close())
	}
	return &Data{Conn: conn, Transfer: Transfer{Told: told}}, nil
}

// told reads the address out of a 227 or the port out of a 229.
func (c *Client) told(mode Mode, reply Reply) (netip.AddrPort, error) {
	codes := map[Mode]int{PASV: 227, EPSV: 229}
	_, text, opened := strings.Cut(reply.String(), "(")
	text, _, ended := strings.Cut(text, ")")
	if reply.Code != codes[mode] || !opened || !ended {
		return netip.AddrPort{}, &ReplyError{Command: string(mode), Reply: reply}
	}
	if mode == PASV {
		return parseSix(text)
	}
	extended, err := parseExtended(text)
	return netip.AddrPortFrom(c.peer, extended.Port()), err
}

func (c *Client) startTransfer(command string) error {
	if err := c.Send(command + "\r\n"); err != nil {
		return err
	}
	return c.expect(command, 1)
}

// Retrieve downloads a file into w.
func (c *Client) Retrieve(mode Mode, name string, w io.Writer) (Transfer, error) {
	return c.receive(mode, "RETR "+name, w)
}

// List returns what the server lists of a directory, CRLF after each line.
func (c *Client) List(mode Mode, dir string) (string, Transfer, error) {
	var text bytes.Buffer
	transfer, err := c.receive(mode, strings.TrimSpace("LIST "+dir), &text)
	return text.String(), transfer, err
}

func (c *Client) receive(mode Mode, command string, w io.Writer) (Transfer, error) {
	data, err := c.Open(mode, command)
	if err != nil {
		return Transfer{Mode: mode}, err
	}
	if c.buffer == nil {
		c.buffer = make([]byte, bufferSize)
	}
	data.Transfer.Bytes, err = receive(w, data.Conn, c.buffer, c.options.Timeout)
	return data.end(command, err)
}

// Store uploads content as a file.
func (c *Client) Store(mode Mode, name string, content Content) (Transfer, error) {
	command := "STOR " + name
	data, err := c.Open(mode, command)
	if err != nil {
		return Transfer{Mode: mode}, err
	}
	data.Transfer.Bytes, err = content.WriteFrom(patientWriter{data.Conn, c.options.Timeout}, 0)
	return data.end(command, err)
}

// end finishes the transfer even where moving the data failed, so that the
// control connection stays in step.
func (d *Data) end(command string, moved error) (Transfer, error) {
	if err := errors.Join(moved, d.Finish()); err != nil {
		return d.Transfer, fmt.Errorf("%s %s: %w", d.Transfer.Mode, command, err)
	}
	return d.Transfer, nil
}
