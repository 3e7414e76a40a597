package ftp

import (
	"io"
	"net"
	"time"
)

// bufferSize is the length in bytes of the buffer that data connections are
// read into: large enough that a system call takes what the kernel holds.
const bufferSize = 256 << 10

// receive copies a data connection to its end into w. idle limits every
// single wait for data.
func receive(w io.Writer, conn net.Conn, buffer []byte, idle time.Duration) (received int64, err error) {
	for {
		if err := conn.SetReadDeadline(time.Now().Add(idle)); err != nil {
			return received, err
		}
		n, err := conn.Read(buffer)
		received += int64(n)
		if _, err := w.Write(buffer[:n]); err != nil {
			return received, err
		}
		if err == io.EOF {
			return received, nil
		}
		if err != nil {
			return received, err
		}
	}
}

// patientWriter writes to a data connection. idle limits every single write.
type patientWriter struct {
	conn net.Conn
	idle time.Duration
}

// Write implements io.Writer.
func (w patientWriter) Write(p []byte) (int, error) {
	if err := w.conn.SetWriteDeadline(time.Now().Add(w.idle)); err != nil {
		return 0, err
	}
	return w.conn.Write(p)
}
