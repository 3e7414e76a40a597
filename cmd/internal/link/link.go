package link

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// mostRecords is how many records travel in one packet.
	mostRecords = 64
	// mostWaiting bounds what waits for a process that does not read.
	mostWaiting = 1 << 16
	// patience is how long what is sent later may wait.
	patience = 5 * time.Millisecond
)

// errStuck says that the other process does not read.
var errStuck = errors.New("the other process does not read")

// FileError says that a record could not be sent because this process could not
// make or duplicate its file. The Link is as it was.
type FileError struct{ Err error }

// Error returns the error's text.
func (e *FileError) Error() string { return e.Err.Error() }

// Unwrap returns the kernel's error.
func (e *FileError) Unwrap() error { return e.Err }

// Link is one end. Its methods are safe for concurrent use.
type Link struct {
	conn *net.UnixConn
	raw  syscall.RawConn

	mu      sync.Mutex
	waiting []message
	// later sends what waits and is in no hurry; nil when nothing does.
	later *time.Timer
	// writing says that a goroutine writes: it takes what others have left.
	writing bool
	err     error // of writing
}

// message is what waits to be sent.
type message struct {
	Record
	fd int // closed once it is sent; noFile if there is none
}

const noFile = -1

// Pair returns a Link, and the other end as a file for another process.
func Pair() (*Link, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socketpair: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "link"), os.NewFile(uintptr(fds[1]), "link")
	l, err := New(ours)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return l, theirs, nil
}

// New makes a Link of an end of a socketpair, and closes the file.
func New(f *os.File) (*Link, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("use the link: %w", err)
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, errors.New("use the link: it is no Unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("use the link: %w", err)
	}
	return &Link{conn: u, raw: raw}, nil
}

// Close ends both directions.
func (l *Link) Close() error { return l.conn.Close() }

// Send sends a record. It fails when the other process has ended.
func (l *Link) Send(r Record) error { return l.send(message{r, noFile}) }

// SendLater sends a record with the next one, or within patience. It spares the
// other process a wake-up for what it need not know at once.
func (l *Link) SendLater(r Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.enqueue(message{r, noFile}) != nil || l.writing || l.later != nil && len(l.waiting) < mostRecords {
		return
	}
	if len(l.waiting) >= mostRecords {
		l.flush()
		return
	}
	l.later = time.AfterFunc(patience, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !l.writing {
			l.flush()
		}
	})
}

// SendFile sends a record with a file or socket. The caller may close it at
// once. The error may be a *FileError.
func (l *Link) SendFile(r Record, c syscall.Conn) error {
	fd, err := duplicate(c)
	if err != nil {
		return err
	}
	return l.send(message{r, fd})
}

// SendText sends a record with a value as JSON. The error may be a *FileError.
func (l *Link) SendText(r Record, v any) error {
	f, err := textFile(v)
	if err != nil {
		return err
	}
	defer f.Close()
	return l.SendFile(r, f)
}

// duplicate returns another descriptor of c, which it leaves as it is; (*os.File).Fd
// would make it block.
func duplicate(c syscall.Conn) (fd int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return noFile, err
	}
	failed := raw.Control(func(of uintptr) {
		fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err := errors.Join(failed, err); err != nil {
		return noFile, &FileError{fmt.Errorf("duplicate a descriptor: %w", err)}
	}
	return fd, nil
}

// send has the message written, by this goroutine or by one that writes
// already.
func (l *Link) send(m message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.enqueue(m); err != nil || l.writing {
		return err
	}
	return l.flush()
}

// enqueue appends what is to be sent. The caller holds mu.
func (l *Link) enqueue(m message) error {
	if l.err == nil && len(l.waiting) >= mostWaiting {
		l.err = errStuck
	}
	if l.err != nil {
		closeFiles([]message{m})
		return l.err
	}
	l.waiting = append(l.waiting, m)
	return nil
}

// flush writes what waits. The caller holds mu, and nobody else writes.
func (l *Link) flush() error {
	if l.later != nil {
		l.later.Stop()
		l.later = nil
	}
	l.writing = true
	for len(l.waiting) > 0 {
		batch := l.waiting
		l.waiting = nil
		l.mu.Unlock()
		err := l.write(batch)
		l.mu.Lock()
		l.err = errors.Join(l.err, err)
	}
	l.writing = false
	return l.err
}

// write writes messages, in as few packets as possible.
func (l *Link) write(all []message) error {
	var buffer [mostRecords * Size]byte
	for len(all) > 0 {
		packet, rights, n := buffer[:0], []byte(nil), 0
		for n < len(all) && n < mostRecords && (n == 0 || all[n].fd == noFile) && rights == nil {
			packet = all[n].append(packet)
			if fd := all[n].fd; fd != noFile {
				rights = unix.UnixRights(fd)
			}
			n++
		}
		err := l.writePacket(packet, rights)
		closeFiles(all[:n])
		if err != nil {
			closeFiles(all[n:])
			return err
		}
		all = all[n:]
	}
	return nil
}

// writePacket writes one packet. One without a file takes a plain write(2), a
// raw one, which costs less than what package net does for it.
func (l *Link) writePacket(packet, rights []byte) error {
	if rights != nil {
		_, _, err := l.conn.WriteMsgUnix(packet, rights, nil)
		return err
	}
	var errno syscall.Errno
	err := l.raw.Write(func(fd uintptr) bool {
		for {
			_, _, errno = syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(packet))), uintptr(len(packet)))
			if errno != syscall.EINTR {
				return errno != syscall.EAGAIN
			}
		}
	})
	if err == nil && errno != 0 {
		err = os.NewSyscallError("write", errno)
	}
	return err
}

func closeFiles(all []message) {
	for _, m := range all {
		if m.fd != noFile {
			unix.Close(m.fd)
		}
	}
}

// Receive hands out each record that comes, with its file if it has one, until
// the other process ends: then the error is io.EOF. Whoever gets a file closes
// it. A packet that is no whole number of records is an error. A file for which
// this process has no descriptor left is missing (recvmsg(2), MSG_CTRUNC).
func (l *Link) Receive(do func(Record, *os.File)) error {
	p := newPacket()
	for {
		if err := p.read(l.raw); err != nil {
			return err
		}
		f, err := fileOf(p.rights[:p.header.Controllen])
		n := p.length
		switch {
		case err != nil:
			return err
		case n == 0 && f == nil:
			return io.EOF
		case n == 0, n%Size != 0, p.header.Flags&unix.MSG_TRUNC != 0:
			f.Close()
			return errRecord
		}
		if f != nil && p.header.Flags&unix.MSG_CTRUNC != 0 {
			f.Close()
			f = nil
		}
		for b := p.bytes[:n]; len(b) > 0; b = b[Size:] {
			do(parse(b), f)
			f = nil // it belongs to the first record
		}
	}
}

// packet is room for what one recvmsg(2) brings.
type packet struct {
	bytes, rights []byte
	vector        unix.Iovec
	header        unix.Msghdr
	length        int
	errno         syscall.Errno
}

func newPacket() *packet {
	p := &packet{bytes: make([]byte, mostRecords*Size), rights: make([]byte, unix.CmsgSpace(4*8))}
	p.vector.Base = &p.bytes[0]
	p.vector.SetLen(len(p.bytes))
	return p
}

// read waits for a packet and takes it.
func (p *packet) read(c syscall.RawConn) error {
	if err := c.Read(p.tryRead); err != nil {
		return err
	}
	if p.errno != 0 {
		return os.NewSyscallError("recvmsg", p.errno)
	}
	return nil
}

func (p *packet) tryRead(fd uintptr) bool {
	p.header = unix.Msghdr{Iov: &p.vector, Control: &p.rights[0]}
	p.header.SetIovlen(1)
	p.header.SetControllen(len(p.rights))
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&p.header)), unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
		switch errno {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		}
		p.length, p.errno = int(n), errno
		return true
	}
}

// fileOf returns the one file of a packet, nil if there is none. More than one
// are an error.
func fileOf(rights []byte) (*os.File, error) {
	if len(rights) == 0 {
		return nil, nil
	}
	messages, err := syscall.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, err
	}
	var fds []int
	for i := range messages {
		more, err := syscall.ParseUnixRights(&messages[i])
		if err != nil {
			return nil, err
		}
		fds = append(fds, more...)
	}
	if len(fds) != 1 {
		for _, fd := range fds {
			unix.Close(fd)
		}
		return nil, errRecord
	}
	return os.NewFile(uintptr(fds[0]), "received"), nil
}

// textFile returns a file in memory that holds v as JSON.
func textFile(v any) (*os.File, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	f, err := EmptyFile()
	if err != nil {
		return nil, &FileError{err}
	}
	if _, err := f.Write(text); err != nil {
		f.Close()
		return nil, &FileError{err}
	}
	return f, nil
}

// EmptyFile returns a file in memory.
func EmptyFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("ftpalg", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	return os.NewFile(uintptr(fd), "text"), nil
}

// Text reads a value that SendText has sent, and closes the file.
func Text(f *os.File, v any) error {
	if f == nil {
		return errRecord
	}
	defer f.Close()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return json.NewDecoder(f).Decode(v)
}
