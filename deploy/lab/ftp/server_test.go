package ftp_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ftpalg/deploy/lab/ftp"
)

func TestEveryModeMovesWholeFiles(t *testing.T) {
	tests := []struct {
		address string
		modes   []ftp.Mode
	}{
		{"127.0.0.1", []ftp.Mode{ftp.PASV, ftp.EPSV, ftp.PORT, ftp.EPRT}},
		{"::1", []ftp.Mode{ftp.EPSV, ftp.EPRT}},
	}
	for _, tt := range tests {
		for _, mode := range tt.modes {
			t.Run(fmt.Sprintf("%s %s", tt.address, mode), func(t *testing.T) {
				want := ftp.Random(7, 3<<20)
				server := &ftp.Server{Files: ftp.NewFiles(map[string]ftp.Content{"pub/file": want})}
				client := connect(t, start(t, server, tt.address), ftp.Options{})
				sum := sha256.New()
				transfer, err := client.Retrieve(mode, "pub/file", sum)
				if err != nil || [sha256.Size]byte(sum.Sum(nil)) != want.Sum() || transfer.Bytes != want.Size() {
					t.Errorf("RETR: %v, %d bytes", err, transfer.Bytes)
				}
				if _, err := client.Store(mode, "up/copy", want); err != nil {
					t.Errorf("STOR: %v", err)
				}
				if got, _ := server.Files.Get("/up/copy"); got.Sum() != want.Sum() {
					t.Errorf("STOR left %d bytes, or others", got.Size())
				}
				text, _, err := client.List(mode, "")
				if want := "drwxr-xr-x    1 ftp      ftp             0 Jan 01  2000 pub\r\n"; err != nil || !strings.HasPrefix(text, want) {
					t.Errorf("LIST: %v, %q, want to begin with %q", err, text, want)
				}
			})
		}
	}
}

func TestRepliesAreThese(t *testing.T) {
	tests := []struct{ send, want string }{
		{"NOOP", "200 NOOP ok."},
		{"noop", "200 NOOP ok."},
		{"\xff\xf4\xff\xf2NOOP", "200 NOOP ok."},
		{"SYST", "215 UNIX Type: L8"},
		{"FEAT", "211 End"},
		{"AUTH TLS", "502 Command not implemented."},
		{"XYZZY", "502 Command not implemented."},
		{"PWD", `257 "/" is the current directory`},
		{"CWD pub", "250 Directory successfully changed (1 entries)."},
		{"CWD up", "250 Directory successfully changed (0 entries)."},
		{"CWD /pub/file", "550 Failed to change directory."},
		{"CWD nowhere", "550 Failed to change directory."},
		{"SIZE pub/file", "213 5"},
		{"SIZE nothing", "550 Could not get file size."},
		{"TYPE I", "200 Switching to Binary mode."},
		{"TYPE E", "504 Only the types A, I and L 8 are known."},
		{"ABOR", "225 No transfer to ABOR."},
		{"RETR pub/file", "425 Use PASV, EPSV, PORT or EPRT first."},
		{"RETR nothing", "550 Failed to open file."},
		{"REST x", "501 REST needs a number of bytes."},
		{"PORT 127,0,0,2,200,1", "500 Illegal PORT command."},
		{"PORT 127,0,0,1,0,21", "500 Illegal PORT command."},
		{"PORT 127,0,0,1,200", "500 Illegal PORT command."},
		{"PORT 127,0,0,1,200,1", "200 PORT command successful."},
		{"EPRT |1|127.0.0.2|50000|", "500 Illegal EPRT command."},
		{"EPRT |2|::1|50000|", "522 Network protocol not supported."},
		{"EPRT !1!127.0.0.1!50000!", "200 EPRT command successful."},
		{"EPSV 2", "522 Network protocol not supported, use (1)"},
	}
	address := start(t, &ftp.Server{Files: ftp.NewFiles(map[string]ftp.Content{"pub/file": ftp.Bytes([]byte("hello"))}, "up")}, "127.0.0.1")
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%q", tt.send), func(t *testing.T) {
			reply, err := connect(t, address, ftp.Options{}).Cmd(tt.send)
			if err != nil || reply.String() != tt.want {
				t.Errorf("got %q, %v; want %q", reply, err, tt.want)
			}
		})
	}
}

func TestNothingButEPSVAfterEPSVAll(t *testing.T) {
	client := connect(t, start(t, &ftp.Server{Files: ftp.NewFiles(nil)}, "127.0.0.1"), ftp.Options{})
	for _, step := range []struct {
		send string
		want int
	}{{"EPSV ALL", 200}, {"PASV", 501}, {"PORT 127,0,0,1,200,1", 501}, {"EPRT |1|127.0.0.1|50000|", 501}, {"EPSV", 229}} {
		if reply, err := client.Cmd(step.send); err != nil || reply.Code != step.want {
			t.Errorf("%s: %q, %v; want %d", step.send, reply, err, step.want)
		}
	}
}

func TestPASVOverIPv6IsRefused(t *testing.T) {
	client := connect(t, start(t, &ftp.Server{Files: ftp.NewFiles(nil)}, "::1"), ftp.Options{})
	if reply, err := client.Cmd("PASV"); err != nil || reply.Code != 425 {
		t.Errorf("got %q, %v; want 425", reply, err)
	}
}

func TestCommandsNeedALogin(t *testing.T) {
	client, err := ftp.Connect(t.Context(), start(t, &ftp.Server{Files: ftp.NewFiles(nil)}, "127.0.0.1"), ftp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if reply, err := client.Cmd("PASV"); err != nil || reply.Code != 530 {
		t.Errorf("got %q, %v; want 530", reply, err)
	}
}

func TestPipelinedCommandsAreAnsweredInOrder(t *testing.T) {
	client := connect(t, start(t, &ftp.Server{Files: ftp.NewFiles(nil)}, "127.0.0.1"), ftp.Options{})
	if err := client.Send("NOOP\r\nSYST\r\nPWD\r\nXYZZY\r\nFEAT\r\nQUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{200, 215, 257, 502, 211, 221} {
		if reply, err := client.Read(); err != nil || reply.Code != want {
			t.Errorf("got %q, %v; want %d", reply, err, want)
		}
	}
}

func TestRESTCountsForOneTransfer(t *testing.T) {
	content := ftp.Random(3, 2<<20)
	client := connect(t, start(t, &ftp.Server{Files: ftp.NewFiles(map[string]ftp.Content{"file": content})}, "127.0.0.1"), ftp.Options{})
	if reply, err := client.Cmd("REST 1500000"); err != nil || reply.Code != 350 {
		t.Fatalf("REST: %q, %v", reply, err)
	}
	for _, skipped := range []int64{1_500_000, 0} {
		want, got := sha256.New(), sha256.New()
		if _, err := content.WriteFrom(want, skipped); err != nil {
			t.Fatal(err)
		}
		transfer, err := client.Retrieve(ftp.EPSV, "file", got)
		if err != nil || transfer.Bytes != content.Size()-skipped || string(got.Sum(nil)) != string(want.Sum(nil)) {
			t.Errorf("after %d bytes skipped: %d bytes, %v", skipped, transfer.Bytes, err)
		}
	}
}

func TestABOREndsARunningTransfer(t *testing.T) {
	server := &ftp.Server{Files: ftp.NewFiles(map[string]ftp.Content{"file": ftp.Random(3, 1<<40)})}
	client := connect(t, start(t, server, "127.0.0.1"), ftp.Options{})
	data, err := client.Open(ftp.EPSV, "RETR file")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(data, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if err := client.Send("\xff\xf4\xffABOR\r\nNOOP\r\n"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{426, 226, 200} {
		if reply, err := client.Read(); err != nil || reply.Code != want {
			t.Errorf("got %q, %v; want %d", reply, err, want)
		}
	}
	if err := data.Close(); err != nil {
		t.Error(err)
	}
}

func TestDataConnectionFromAStrangerIsRefused(t *testing.T) {
	server := &ftp.Server{Files: ftp.NewFiles(map[string]ftp.Content{"file": ftp.Bytes([]byte("secret"))})}
	client := connect(t, start(t, server, "127.0.0.1"), ftp.Options{})
	reply, err := client.Cmd("EPSV")
	if err != nil {
		t.Fatal(err)
	}
	var port uint16
	if _, err := fmt.Sscanf(reply.String(), "229 Entering Extended Passive Mode (|||%d|)", &port); err != nil {
		t.Fatal(err)
	}
	stranger := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	conn, err := stranger.DialContext(t.Context(), "tcp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if reply, err := client.Cmd("RETR file"); err != nil || reply.Code != 425 {
		t.Errorf("got %q, %v; want 425", reply, err)
	}
	if stolen, _ := io.ReadAll(conn); len(stolen) > 0 {
		t.Errorf("the stranger read %q", stolen)
	}
}

func TestAnotherAnnouncedAddressIsTold(t *testing.T) {
	server := &ftp.Server{Files: ftp.NewFiles(nil), Announce: netip.MustParseAddr("192.0.2.77")}
	client := connect(t, start(t, server, "127.0.0.1"), ftp.Options{})
	if reply, err := client.Cmd("PASV"); err != nil || !strings.Contains(reply.String(), "(192,0,2,77,") {
		t.Errorf("got %q, %v", reply, err)
	}
}

func TestUploadsToDiscardAreForgotten(t *testing.T) {
	server := &ftp.Server{Files: ftp.NewFiles(nil)}
	client := connect(t, start(t, server, "127.0.0.1"), ftp.Options{})
	transfer, err := client.Store(ftp.PASV, "/discard/big", ftp.Random(1, 400<<20))
	if err != nil || transfer.Bytes != 400<<20 {
		t.Errorf("%d bytes, %v", transfer.Bytes, err)
	}
	if _, kept := server.Files.Get("/discard/big"); kept {
		t.Error("the upload was kept")
	}
}

func TestBothTranscriptsAreTheSame(t *testing.T) {
	var client, server transcript
	s := &ftp.Server{Files: ftp.NewFiles(nil), Transcript: func(sent bool, line string) { server.add(!sent, line) }}
	c := connect(t, start(t, s, "127.0.0.1"), ftp.Options{Transcript: client.add})
	if _, _, err := c.List(ftp.PASV, ""); err != nil {
		t.Fatal(err)
	}
	if err := c.Quit(); err != nil {
		t.Fatal(err)
	}
	if got, want := server.all(), client.all(); !slices.Equal(got, want) {
		t.Errorf("server:\n%s\nclient:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if want := "> QUIT"; !slices.Contains(client.all(), want) {
		t.Errorf("no %q in %q", want, client.all())
	}
}

func TestCloseEndsSessionsInEveryState(t *testing.T) {
	server := &ftp.Server{Files: ftp.NewFiles(map[string]ftp.Content{"file": ftp.Random(3, 1<<40)}), Timeout: time.Hour}
	address := start(t, server, "127.0.0.1")
	idle := connect(t, address, ftp.Options{})
	running := connect(t, address, ftp.Options{})
	if _, err := running.Open(ftp.EPSV, "RETR file"); err != nil {
		t.Fatal(err)
	}
	waiting := connect(t, address, ftp.Options{})
	if err := waiting.Send("EPSV\r\nRETR file\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := waiting.Read(); err != nil {
		t.Fatal(err)
	}
	server.Close()
	for name, client := range map[string]*ftp.Client{"idle": idle, "running": running, "waiting": waiting} {
		if _, err := client.Cmd("NOOP"); err == nil {
			t.Errorf("the %s session was answered after Close", name)
		}
	}
}

func TestRefusalIsAReplyError(t *testing.T) {
	client := connect(t, start(t, &ftp.Server{Files: ftp.NewFiles(nil)}, "127.0.0.1"), ftp.Options{})
	_, err := client.Retrieve(ftp.PASV, "nothing", io.Discard)
	var refusal *ftp.ReplyError
	if !errors.As(err, &refusal) || refusal.Reply.Code != 550 {
		t.Errorf("got %v, want a ReplyError with 550", err)
	}
	if reply, err := client.Cmd("NOOP"); err != nil || reply.Code != 200 {
		t.Errorf("after a refusal NOOP gets %q, %v", reply, err)
	}
}

func start(t *testing.T, server *ftp.Server, address string) string {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func connect(t *testing.T, address string, options ftp.Options) *ftp.Client {
	t.Helper()
	client, err := ftp.Connect(t.Context(), address, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Login("anonymous", "lab"); err != nil {
		t.Fatal(err)
	}
	return client
}

// transcript collects lines as the client sees them.
type transcript struct {
	mu    sync.Mutex
	lines []string
}

func (tr *transcript) add(sent bool, line string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	direction := "< "
	if sent {
		direction = "> "
	}
	tr.lines = append(tr.lines, direction+line)
}

func (tr *transcript) all() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return slices.Clone(tr.lines)
}
