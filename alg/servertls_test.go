package alg_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"ftpalg/alg"
	"ftpalg/alg/algtest"
)

// onServerTLS runs f with a gateway that speaks TLS with its server, which
// answers AUTH with auth.
func onServerTLS(t *testing.T, auth string, f func(b *bench, client *peer, server *bufio.ReadWriter)) {
	t.Helper()
	svc := fronting()
	svc.Policy.ServerTLS = true
	svc.ServerTLS = &alg.ServerTLS{Config: &tls.Config{InsecureSkipVerify: true}}
	onBench(t, svc, onePort(testSettings()), func(b *bench) {
		client := b.connect(clientHost, outside)
		raw := b.kernel.Server()
		script := make(chan *bufio.ReadWriter, 1)
		go func() {
			clear := bufio.NewReader(raw)
			io.WriteString(raw, "220-Welcome\r\n220 ready\r\n")
			if line, _ := clear.ReadString('\n'); line != "AUTH TLS\r\n" {
				t.Errorf("the server heard %q", line)
			}
			io.WriteString(raw, auth)
			script <- secureAsServer(t, raw)
		}()
		f(b, client, <-script)
		raw.Close()
	})
}

// secureAsServer shakes hands and answers PBSZ and PROT; nil if that fails.
func secureAsServer(t *testing.T, raw *algtest.Conn) *bufio.ReadWriter {
	c := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{testCertificate(t)}})
	if c.Handshake() != nil {
		return nil
	}
	rw := bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c))
	for _, want := range []string{"PBSZ 0\r\n", "PROT P\r\n"} {
		if line, err := rw.ReadString('\n'); err != nil || line != want {
			t.Errorf("the server heard %q, %v", line, err)
		}
		fmt.Fprint(rw, "200 ok\r\n")
		rw.Flush()
	}
	return rw
}

func TestServersTLSBeginsBeforeItsGreetingIsPassedOn(t *testing.T) {
	onServerTLS(t, "234 go\r\n", func(b *bench, client *peer, server *bufio.ReadWriter) {
		client.hears("220-Welcome")
		client.hears("220 ready")
		client.say("PROT C", "REIN", "AUTH TLS", "USER joe")
		for range 3 {
			client.hears("502 Command not implemented.")
		}
		if line, err := server.ReadString('\n'); err != nil || line != "USER joe\r\n" {
			t.Errorf("the server heard %q, %v", line, err)
		}
	})
}

func TestSessionEndsWhoseServerDoesNotDoTLS(t *testing.T) {
	for name, auth := range map[string]string{
		"it refuses":            "502 no\r\n",
		"it says more in clear": "234 go\r\n230 you are logged in\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			onServerTLS(t, auth, func(b *bench, client *peer, _ *bufio.ReadWriter) {
				client.hears("421 The FTP server cannot be reached: TLS with it failed.")
				synctest.Wait()
				if log := b.log.of("server_unreachable"); !strings.Contains(log, "TLS with the server failed") {
					t.Errorf("logged %q", log)
				}
			})
		})
	}
}
