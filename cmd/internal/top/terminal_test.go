package top

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"ftpalg/cmd/internal/api"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// asChild makes the test program run top on its terminal, with the gateway
// that the variable names.
const asChild = "FTPALG_TOP_CHILD"

func TestMain(m *testing.M) {
	kind := os.Getenv(asChild)
	if kind == "" {
		goleak.VerifyTestMain(m)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := Run(ctx, &oneGateway{kind: kind}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// oneGateway answers as its kind says.
type oneGateway struct {
	kind  string
	asked int
}

func (g *oneGateway) Status() (api.Status, error) {
	g.asked++
	switch {
	case g.kind == "gone" && g.asked > 1:
		return api.Status{}, errors.New("nobody is there")
	case g.kind == "panic" && g.asked > 1:
		panic("this gateway is broken")
	}
	return gatewayAt(0).Status, nil
}
func (g *oneGateway) Sessions() ([]api.Session, error)          { return gatewayAt(0).Sessions, nil }
func (g *oneGateway) Session(uint64) (api.SessionDetail, error) { return api.SessionDetail{}, nil }
func (g *oneGateway) Kill(uint64) error                         { return nil }

// terminal is a pseudo terminal with top on it.
type terminal struct {
	t      *testing.T
	master *os.File
	slave  *os.File
	child  *exec.Cmd

	mu   sync.Mutex
	text bytes.Buffer
}

func newTerminal(t *testing.T, kind string) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, master: master, slave: slave, child: exec.Command(os.Args[0])}
	term.child.Env = append(os.Environ(), asChild+"="+kind)
	term.child.Stdin, term.child.Stdout, term.child.Stderr = slave, slave, slave
	term.child.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	term.resize(80)
	if err := term.child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		term.child.Process.Kill() // it may have ended
		slave.Close()
		master.Close()
	})
	go term.collect()
	return term
}

func (term *terminal) resize(width uint16) {
	term.t.Helper()
	if err := unix.IoctlSetWinsize(int(term.slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: width}); err != nil {
		term.t.Fatal(err)
	}
}

func (term *terminal) collect() {
	buf := make([]byte, 4096)
	for {
		n, err := term.master.Read(buf)
		term.mu.Lock()
		term.text.Write(buf[:n])
		term.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (term *terminal) shown() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.text.String()
}

// shows waits until a text has been shown.
func (term *terminal) shows(text string) {
	term.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(term.shown(), text) {
			return
		}
	}
	term.t.Fatalf("%q was not shown:\n%q", text, term.shown())
}

// settings are those of the terminal's line discipline.
func (term *terminal) settings() unix.Termios {
	term.t.Helper()
	s, err := unix.IoctlGetTermios(int(term.slave.Fd()), unix.TCGETS)
	if err != nil {
		term.t.Fatal(err)
	}
	return *s
}

func TestTheTerminalIsGivenBackHoweverTopEnds(t *testing.T) {
	for name, c := range map[string]struct {
		kind   string
		end    func(*terminal)
		status int
	}{
		"by q":          {"good", func(term *terminal) { term.master.WriteString("q") }, 0},
		"by Ctrl-C":     {"good", func(term *terminal) { term.master.WriteString("\x03") }, 0},
		"by SIGTERM":    {"good", func(term *terminal) { term.child.Process.Signal(syscall.SIGTERM) }, 0},
		"by a panic":    {"panic", func(*terminal) {}, 1},
		"without reply": {"gone", func(term *terminal) { term.shows("trying again"); term.master.WriteString("q") }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			term := newTerminal(t, c.kind)
			term.shows("203.0.113.5:40005")
			c.end(term)
			ended := make(chan error, 1)
			go func() { ended <- term.child.Wait() }()
			select {
			case <-ended:
			case <-time.After(30 * time.Second):
				t.Fatal("top did not end")
			}
			if status := term.child.ProcessState.ExitCode(); status != c.status {
				t.Errorf("the exit status is %d, want %d", status, c.status)
			}
			term.shows(leaveScreen)
			if s := term.settings(); s.Lflag&(unix.ECHO|unix.ICANON|unix.ISIG) != unix.ECHO|unix.ICANON|unix.ISIG {
				t.Errorf("the terminal is left raw: %+v", s)
			}
		})
	}
}

func TestTopFollowsTheTerminalsSize(t *testing.T) {
	term := newTerminal(t, "good")
	term.shows("203.0.113.5:40005")
	if strings.Contains(term.shown(), "Listener") {
		t.Error("80 columns have room for the listener")
	}
	term.resize(200)
	term.shows("Listener")
	term.master.WriteString("q")
	if err := term.child.Wait(); err != nil {
		t.Error(err)
	}
}
