package load

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"time"
)

// Limits of a client, in time. A packet that was lost is sent again after one
// second (RFC 6298 section 2): twice that is failure enough for a data
// connection.
const (
	controlTimeout = 15 * time.Second
	dataTimeout    = 2500 * time.Millisecond
)

// client is one session as a client.
type client struct {
	job     *Job
	control io.ReadWriteCloser
	local   netip.Addr
	// sessions is the TLS of the connections, nil for none.
	sessions *tls.Config
	// received[next:end] was read and is not taken yet.
	received  [1024]byte
	next, end int
	data      []byte
	said      []byte
}

// login connects and logs in. buffer is for what transfers bring.
func login(job *Job, buffer []byte) (*client, error) {
	control, err := dial(job.Server, controlTimeout)
	if err != nil {
		return nil, err
	}
	c := &client{job: job, control: control, data: buffer}
	if err := c.greet(control); err != nil {
		return nil, closing(c.control, err)
	}
	return c, nil
}

func (c *client) greet(control socket) (err error) {
	if err := control.noDelay(); err != nil {
		return err
	}
	if c.local, err = localAddr(control); err != nil {
		return err
	}
	if _, err := c.expect('2'); err != nil {
		return err
	}
	if c.job.TLS {
		if err := c.protect(control); err != nil {
			return err
		}
	}
	if _, err := c.command('3', "USER "+c.job.User); err != nil {
		return err
	}
	if _, err = c.command('2', "PASS benchmark"); err != nil || !c.job.TLS {
		return err
	}
	for _, line := range []string{"PBSZ 0", "PROT P"} {
		if _, err := c.command('2', line); err != nil {
			return err
		}
	}
	return nil
}

// protect begins TLS.
func (c *client) protect(control socket) error {
	if _, err := c.command('2', "AUTH TLS"); err != nil {
		return err
	}
	c.sessions = newSessions()
	t, err := secure(control, c.sessions)
	if err == nil {
		c.control = t
	}
	return err
}

// quit takes leave.
func (c *client) quit() error {
	_, err := c.command('2', "QUIT")
	if err != nil {
		return closing(c.control, err)
	}
	return c.control.Close()
}

// command sends a line and returns the reply, which must begin with class.
func (c *client) command(class byte, line string) ([]byte, error) {
	c.said = append(append(c.said[:0], line...), '\r', '\n')
	if _, err := c.control.Write(c.said); err != nil {
		return nil, err
	}
	reply, err := c.expect(class)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", line, err)
	}
	return reply, nil
}

// expect reads one line, which is valid until the next.
func (c *client) expect(class byte) ([]byte, error) {
	for {
		held := c.received[c.next:c.end]
		if n := bytes.IndexByte(held, '\n'); n >= 0 {
			c.next += n + 1
			if held[0] != class {
				return nil, fmt.Errorf("the server said %q", held[:n+1])
			}
			return held[:n+1], nil
		}
		copy(c.received[:], held)
		c.next, c.end = 0, len(held)
		n, err := c.control.Read(c.received[c.end:])
		if err != nil {
			return nil, err
		}
		c.end += n
	}
}

// announce asks for a data connection in a passive mode and returns where it
// is.
func (c *client) announce(mode Mode) (netip.AddrPort, error) {
	reply, err := c.command('2', string(mode))
	if err != nil {
		return netip.AddrPort{}, err
	}
	if mode == EPSV {
		return parseExtended(reply, c.job.Server.Addr())
	}
	return parseSix(reply)
}

// transfer fetches one file and returns its length in bytes.
func (c *client) transfer() (int64, error) {
	raw, err := c.openData()
	if err != nil {
		return 0, err
	}
	var data io.ReadWriteCloser = raw
	if c.sessions != nil {
		if data, err = secure(raw, c.sessions); err != nil {
			return 0, closing(raw, err)
		}
	}
	n, err := c.drain(data)
	if err != nil {
		return n, closing(data, err)
	}
	if err := data.Close(); err != nil {
		return n, err
	}
	if n != c.job.Size {
		return n, fmt.Errorf("got %d of %d bytes", n, c.job.Size)
	}
	_, err = c.expect('2')
	return n, err
}

func (c *client) openData() (socket, error) {
	retrieve := "RETR " + strconv.FormatInt(c.job.Size, 10)
	if c.job.Mode == PORT {
		return c.openActive(retrieve)
	}
	at, err := c.announce(c.job.Mode)
	if err != nil {
		return -1, err
	}
	data, err := dial(at, dataTimeout)
	if err != nil {
		return -1, err
	}
	if _, err := c.command('1', retrieve); err != nil {
		return -1, closing(data, err)
	}
	return data, nil
}

func (c *client) openActive(retrieve string) (socket, error) {
	listener, port, err := listen(c.local, dataTimeout)
	if err != nil {
		return -1, err
	}
	defer listener.Close() // nobody else comes; no error of it matters
	if _, err := c.command('2', "PORT "+formatSix(netip.AddrPortFrom(c.local, port))); err != nil {
		return -1, err
	}
	if _, err := c.command('1', retrieve); err != nil {
		return -1, err
	}
	return listener.accept()
}

// drain reads to the end.
func (c *client) drain(data io.Reader) (total int64, err error) {
	read := data.Read
	if raw, ok := data.(socket); ok {
		read = raw.discard
	}
	for {
		n, err := read(c.data)
		total += int64(n)
		switch err {
		case nil:
		case io.EOF:
			return total, nil
		default:
			return total, err
		}
	}
}
