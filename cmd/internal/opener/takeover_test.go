package opener

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"ftpalg/alg/expect"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/link"
	"ftpalg/cmd/internal/sandbox"
)

// attempt is something that a worker has tried, and what came of it.
type attempt struct {
	What  string
	Error string // "" if it was done
}

// A worker that is wholly taken over has its session's hosts and ports at or
// above 1024 inside the ranges, and nothing else.
func TestATakenOverWorkerCanOpenOnlyWhatItsSessionMay(t *testing.T) {
	if os.Getenv("FTPALG_E2E") != "1" {
		t.Skip("set FTPALG_E2E=1 to run the tests of real netfilter")
	}
	if os.Getenv(inNamespace) == "" {
		t.Fatal("needs root, to make a network namespace")
	}
	run(t, "ip link set lo up; ip addr add 198.18.1.20/32 dev lo; ip addr add 203.0.113.1/32 dev lo; ip addr add 203.0.113.10/32 dev lo")
	server := serveNothing(t, "198.18.1.20:2100")
	defer server.Close()
	dir := t.TempDir()
	o, err := New(testOptions(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	attempts := listenToWorker(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx, Asked{}) }()

	client := connectAsClient(t)
	defer client.Close()
	mayOnly := map[string]bool{"begin a session": true, "try the server": true, "PASV": true, "PORT": true, "relay": true, "connect to the target": true, "read a name server's configuration": true}
	seen, worker := 0, ""
	for a := range attempts {
		if seen++; a.What == "pid" {
			worker = a.Error
		}
		if done := a.Error == ""; done != mayOnly[a.What] {
			t.Errorf("%s: %q", a.What, a.Error)
		}
		if a.What == "end" {
			break
		}
	}
	if seen < 53 {
		t.Errorf("only %d attempts were made", seen)
	}
	for _, p := range o.rules().Pinholes() {
		if p.From.String() != "203.0.113.10" && p.From.String() != "198.18.1.20" || p.Target.Port() < 1024 {
			t.Errorf("open: %s", p.Expectation)
		}
	}
	if n := len(o.rules().Pinholes()); n != 3 {
		t.Errorf("%d pinholes are open, want 3", n)
	}
	stop()
	// It does not answer, nor end by itself.
	if err := <-ended; err == nil {
		t.Error("a worker that had to be killed is no orderly end")
	}
	if _, err := os.Stat("/proc/" + worker); worker == "" || err == nil {
		t.Errorf("process %q lives on", worker)
	}
	if rules := run(t, "iptables-save; ip6tables-save; ip rule"); strings.Contains(rules, "ftpalg") || strings.Contains(rules, "FTPALG") {
		t.Errorf("left behind:\n%s", rules)
	}
}

func testOptions(t *testing.T, dir string) Options {
	t.Helper()
	text := fmt.Sprintf(`
listeners: [{name: legacy, listen: 203.0.113.1:2121, server: 198.18.1.20:2100}]
data: {path: iptables, passive_ports: 50000-50009, active_ports: 51000-51009}
limits: {drain_timeout: 1s}
admin: {socket: %s/admin.sock}
log: {transfers: %s/xferlog}
`, dir, dir)
	c, err := config.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		File: "test.yaml", Text: []byte(text), Config: c, SetLevel: func(config.Log) {},
		Log: slog.New(slog.DiscardHandler), Ready: func() {}, Stopping: func() {},
	}
}

// listenToWorker returns what the worker tells of its attempts.
func listenToWorker(t *testing.T) <-chan attempt {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = w
	t.Cleanup(func() { os.Stdout = stdout; w.Close() })
	out := make(chan attempt)
	go func() {
		defer close(out)
		for d := json.NewDecoder(r); ; {
			var a attempt
			if d.Decode(&a) != nil {
				return
			}
			out <- a
		}
	}()
	return out
}

func run(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

func serveNothing(t *testing.T, at string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// connectAsClient connects to the gateway as soon as it listens.
func connectAsClient(t *testing.T) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(203, 0, 113, 10)}}
	for range 500 {
		if c, err := d.Dial("tcp", "203.0.113.1:2121"); err == nil {
			return c
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the gateway does not listen")
	return nil
}

// intruder is what has taken the worker over.
type intruder struct {
	link    *link.Link
	answers chan answer
	last    uint64
}

type answer struct {
	code uint8
	file *os.File
}

// playTakenOver is the worker from the moment on at which it is taken over: its
// process is locked up, and it has one client's connection.
func playTakenOver() int {
	l, err := link.New(os.NewFile(LinkDescriptor, "link"))
	if err != nil {
		return 2
	}
	i := &intruder{link: l, answers: make(chan answer, 64)}
	listener := make(chan *os.File, 16)
	configured := make(chan bool, 1)
	go l.Receive(func(r link.Record, f *os.File) {
		switch r.Op {
		case link.ListeningSocket:
			if r.Socket != AdminNumber {
				i.last = uint64(r.Socket)
				listener <- f
			}
		case link.Configure:
			configured <- true
		case link.Answer:
			i.answers <- answer{r.Code, f}
		}
	})
	<-configured
	if _, err := sandbox.Enter(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	number := uint32(i.last)
	in, err := net.FileListener(<-listener)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	l.Send(link.Record{Op: link.Configured})
	client, err := in.Accept()
	if err != nil {
		return 2
	}
	report("pid", errors.New(strconv.Itoa(os.Getpid())))
	server := i.attackOpener(number, client.(*net.TCPConn))
	attackSystem(server)
	report("end", unix.EPERM)
	select {} // and does not end
}

func report(what string, err error) {
	a := attempt{What: what}
	if err != nil {
		a.Error = err.Error()
	}
	json.NewEncoder(os.Stdout).Encode(a)
}

// ask sends a request, with a descriptor if c is not nil, and reports what came
// of it.
func (i *intruder) ask(what string, r link.Record, c syscall.Conn) *os.File {
	var err error
	if i.last++; c == nil {
		err = i.link.Send(withRequest(r, i.last))
	} else {
		err = i.link.SendFile(withRequest(r, i.last), c)
	}
	if err != nil {
		report(what, err)
		return nil
	}
	select {
	case a := <-i.answers:
		if a.code == 0 {
			report(what, nil)
			return a.file
		}
		f := new(Failure)
		link.Text(a.file, f)
		report(what, f)
	case <-time.After(10 * time.Second):
		report(what, errors.New("no answer"))
	}
	return nil
}

func withRequest(r link.Record, request uint64) link.Record {
	r.Request = request
	return r
}

// attackOpener asks the opener for what it must not give, and for the little
// that it may. It returns the connection to the server.
func (i *intruder) attackOpener(socket uint32, client *net.TCPConn) *os.File {
	legacy := netip.MustParseAddrPort("198.18.1.20:2100")
	connect := link.Record{Op: link.Connect, Session: 1, Socket: socket, Target: legacy}
	promise := link.Record{Op: link.Promise, Session: 1, ID: 1, Mode: expect.PASV, Target: netip.MustParseAddrPort("198.18.1.20:5000"), Port: 50000}
	with := func(change func(*link.Record)) link.Record {
		r := promise
		r.ID = 100 // of none that is open
		change(&r)
		return r
	}
	pipe, _, _ := os.Pipe()
	datagram, _ := net.ListenUDP("udp4", nil)
	i.ask("promise without a session", promise, nil)
	i.ask("begin without a connection", connect, nil)
	i.ask("begin with a pipe", connect, pipe)
	i.ask("begin with a datagram socket", connect, datagram)
	i.ask("begin at another socket", link.Record{Op: link.Connect, Session: 1, Socket: socket + 1, Target: legacy}, client)
	i.ask("begin at the admin socket", link.Record{Op: link.Connect, Session: 1, Socket: AdminNumber, Target: legacy}, client)
	i.ask("begin with SSH of the server", link.Record{Op: link.Connect, Session: 1, Socket: socket, Target: netip.MustParseAddrPort("198.18.1.20:22")}, client)
	i.ask("begin with no server", link.Record{Op: link.Connect, Session: 1, Socket: socket}, client)
	i.ask("try SSH of the server", link.Record{Op: link.Probe, Socket: socket, Target: netip.MustParseAddrPort("198.18.1.20:22")}, nil)
	i.ask("try the client", link.Record{Op: link.Probe, Socket: socket, Target: netip.MustParseAddrPort("203.0.113.10:2100")}, nil)
	i.ask("try at another socket", link.Record{Op: link.Probe, Socket: socket + 1, Target: legacy}, nil)
	i.ask("try the server", link.Record{Op: link.Probe, Socket: socket, Target: legacy}, nil)
	server := i.ask("begin a session", connect, client)
	i.ask("begin it again", connect, client)
	i.ask("PASV", promise, nil)
	i.ask("PORT", link.Record{Op: link.Promise, Session: 1, ID: 2, Mode: expect.PORT, Target: netip.MustParseAddrPort("203.0.113.10:5000"), Port: 51000}, nil)
	i.ask("PASV again", promise, nil)
	for what, r := range map[string]link.Record{
		"another session":     with(func(r *link.Record) { r.Session = 2 }),
		"another target":      with(func(r *link.Record) { r.Target = netip.MustParseAddrPort("192.0.2.1:5000") }),
		"loopback":            with(func(r *link.Record) { r.Target = netip.MustParseAddrPort("127.0.0.1:5000") }),
		"no target":           with(func(r *link.Record) { r.Target = netip.AddrPort{} }),
		"SSH of the server":   with(func(r *link.Record) { r.Target = netip.MustParseAddrPort("198.18.1.20:22") }),
		"a port beyond":       with(func(r *link.Record) { r.Port = 50010 }),
		"port 22 of the edge": with(func(r *link.Record) { r.Port = 22 }),
		"no mode":             with(func(r *link.Record) { r.Mode = 77 }),
		"SSH of the client": with(func(r *link.Record) {
			r.Mode, r.Target, r.Port = expect.PORT, netip.MustParseAddrPort("203.0.113.10:22"), 51001
		}),
		"a third party": with(func(r *link.Record) {
			r.Mode, r.Target, r.Port = expect.EPRT, netip.MustParseAddrPort("203.0.113.11:5000"), 51001
		}),
	} {
		i.ask(what, r, nil)
		r.Op = link.Relay
		i.ask(what+", relayed", r, nil)
	}
	waits := link.Record{Op: link.ConnectData, Session: 1, Mode: expect.PASV, Target: legacy}
	i.ask("a data connection to the server, where nothing is converted", waits, nil)
	waits.Mode, waits.Target = expect.PORT, netip.MustParseAddrPort("203.0.113.10:5000")
	i.ask("a data connection to the client, where nothing is converted", waits, nil)
	i.attackRelay(with(func(r *link.Record) { r.Op, r.ID, r.Port = link.Relay, 3, 50002 }))
	return server
}

// attackRelay asks for one relayed promise, and for connections that it does
// not bring.
func (i *intruder) attackRelay(relay link.Record) {
	relay.Target = netip.MustParseAddrPort("198.18.1.20:2100")
	dial := func(session uint64, id expect.ID) link.Record {
		return link.Record{Op: link.DialData, Session: session, ID: id}
	}
	i.ask("connect without a promise", dial(1, 99), nil)
	i.ask("connect for a promise that is not relayed", dial(1, 1), nil)
	port := i.ask("relay", relay, nil)
	i.ask("connect for another session", dial(2, 3), nil)
	i.ask("connect to the target", dial(1, 3), nil)
	i.ask("connect to the target again", dial(1, 3), nil)
	raw, _ := port.SyscallConn()
	raw.Control(func(fd uintptr) {
		report("let in everybody", unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0))
	})
}

// attackSystem tries what a worker never needs of the kernel.
func attackSystem(server *os.File) {
	call := func(what string, number uintptr, args ...uintptr) {
		args = append(args, make([]uintptr, 6-len(args))...)
		_, _, errno := syscall.Syscall6(number, args[0], args[1], args[2], args[3], args[4], args[5])
		if errno != 0 {
			report(what, errno)
		} else {
			report(what, nil)
		}
	}
	file := func(what, path string, flags int) {
		f, err := os.OpenFile(path, flags, 0o600)
		if f != nil {
			f.Close()
		}
		report(what, err)
	}
	text := func(s string) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(append([]byte(s), 0)))) }
	var elsewhere [16]byte // AF_UNSPEC: to free the connection, with its source address
	fd := uintptr(0)
	raw, _ := server.SyscallConn()
	raw.Control(func(of uintptr) { fd = of })
	call("lead a connection elsewhere", unix.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&elsewhere)), 16)
	call("listen", unix.SYS_LISTEN, fd, 1)
	call("a TCP socket", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM)
	call("a raw socket", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_RAW, 255)
	call("a packet socket", unix.SYS_SOCKET, unix.AF_PACKET, unix.SOCK_RAW)
	call("a netlink socket", unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_NETFILTER)
	call("a Unix socket", unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM)
	call("a new namespace", unix.SYS_UNSHARE, unix.CLONE_NEWUSER|unix.CLONE_NEWNET)
	call("trace the opener", unix.SYS_PTRACE, unix.PTRACE_ATTACH, uintptr(os.Getppid()))
	call("kill the opener", unix.SYS_KILL, uintptr(os.Getppid()), uintptr(syscall.SIGKILL))
	call("outlive the opener", unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, 0)
	call("become root", unix.SYS_SETUID, 0)
	call("another program", unix.SYS_EXECVE, text("/bin/sh"))
	call("another process", unix.SYS_CLONE, uintptr(unix.SIGCHLD))
	call("memory to execute", unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uintptr(0))
	call("load a program into the kernel", unix.SYS_BPF)
	call("rename a file", unix.SYS_RENAMEAT2, ^uintptr(99), text("/tmp/a"), ^uintptr(99), text("/tmp/b"))
	file("write a file", "/tmp/ftpalg-intruder", os.O_WRONLY|os.O_CREATE)
	file("read a file", os.Args[0], os.O_RDONLY)
	file("read the machine's secrets", "/etc/shadow", os.O_RDONLY)
	file("read another process", fmt.Sprintf("/proc/%d/maps", os.Getppid()), os.O_RDONLY)
	file("read a name server's configuration", "/etc/resolv.conf", os.O_RDONLY)
	if _, err := syscall.ForkExec("/bin/true", []string{"true"}, nil); true {
		report("fork", err)
	}
}
