package alg_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ftpalg/alg/algtest"
	"ftpalg/alg/dialogue"
)

// testCertificate is that of the gateway in these tests.
func testCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ftp.example"}, DNSNames: []string{"ftp.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// onTLS runs f with a gateway that is the end of its clients' TLS.
func onTLS(t *testing.T, mode dialogue.TLS, f func(b *bench, client, server *peer)) {
	t.Helper()
	svc := fronting()
	svc.Policy.TLS = mode
	svc.TLS = &tls.Config{Certificates: []tls.Certificate{testCertificate(t)}}
	onBench(t, svc, onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		f(b, client, server)
	})
}

func clientTLS() *tls.Config { return &tls.Config{InsecureSkipVerify: true, ServerName: "ftp.example"} }

// secured is a client's control connection under TLS.
type secured struct {
	*tls.Conn
	t     *testing.T
	r     *bufio.Reader
	below *gathering
}

// gathering is a connection whose writes go together where that is asked for.
type gathering struct {
	*algtest.Conn
	on   bool
	held []byte
}

func (g *gathering) Write(p []byte) (int, error) {
	if !g.on {
		return g.Conn.Write(p)
	}
	g.held = append(g.held, p...)
	return len(p), nil
}

// secure has a client say AUTH and shake hands.
func secure(t *testing.T, client *peer) *secured {
	t.Helper()
	client.say("AUTH TLS")
	client.hears("234 Begin TLS.")
	below := &gathering{Conn: client.Conn}
	c := tls.Client(below, clientTLS())
	client.SetReadDeadline(time.Time{})
	if err := c.HandshakeContext(context.Background()); err != nil {
		t.Fatal(err)
	}
	return &secured{c, t, bufio.NewReader(c), below}
}

func (s *secured) asks(command, want string) {
	s.t.Helper()
	if _, err := io.WriteString(s, command+"\r\n"); err != nil {
		s.t.Fatal(err)
	}
	s.hears(want)
}

func (s *secured) hears(want string) {
	s.t.Helper()
	if got, err := s.r.ReadString('\n'); err != nil || got != want+"\r\n" {
		s.t.Fatalf("heard %q, %v; want %q", got, err, want)
	}
}

func (s *secured) protectData() {
	s.t.Helper()
	s.asks("PBSZ 0", "200 PBSZ=0")
	s.asks("PROT P", "200 Data is protected.")
}

// onCCC runs f with a client under TLS that may say CCC.
func onCCC(t *testing.T, f func(b *bench, client, server *peer, c *secured)) {
	t.Helper()
	svc := fronting()
	svc.Policy.TLS, svc.Policy.ClearControl = dialogue.OfferTLS, true
	svc.TLS = &tls.Config{Certificates: []tls.Certificate{testCertificate(t)}}
	onBench(t, svc, onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		c := secure(t, client)
		c.protectData()
		f(b, client, server, c)
	})
}

func TestAClientGoesOnInClear(t *testing.T) {
	onCCC(t, func(b *bench, client, server *peer, c *secured) {
		c.asks("CCC", "200 The control connection goes on in clear.")
		if _, err := c.r.ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("the gateway's TLS does not end: %v", err)
		}
		// In one segment with the end of TLS, and no byte of it may be lost.
		c.below.on = true
		c.CloseWrite()
		client.SetWriteDeadline(time.Time{}) // which it leaves behind
		client.say(string(c.below.held)+"NOOP", "SYST")
		server.hears("NOOP")
		server.hears("SYST")
		server.say("200 ok", "215 UNIX")
		client.hears("200 ok")
		client.hears("215 UNIX")
		if i := b.gateway.Sessions()[0]; i.TLS != nil {
			t.Errorf("the session's TLS is still %+v", i.TLS)
		}
		client.say("CCC")
		client.hears("533 The control connection is not protected.")
		again := secure(t, client)
		again.asks("CCC", "200 The control connection goes on in clear.")
	})
}

func TestAClientGoesOnInClearWithoutAnEndOfItsTLS(t *testing.T) {
	onCCC(t, func(b *bench, client, server *peer, c *secured) {
		c.asks("CCC", "200 The control connection goes on in clear.")
		if _, err := c.r.ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("the gateway's TLS does not end: %v", err)
		}
		both(client, server, "PWD", `257 "/"`)
	})
}

func TestAClientThatGoesOnUnderTLSAfterItsCCCIsEnded(t *testing.T) {
	onCCC(t, func(b *bench, client, server *peer, c *secured) {
		c.asks("CCC", "200 The control connection goes on in clear.")
		io.WriteString(c, "DELE x\r\n")
		server.hearsEnd()
	})
}

func TestServerHearsNothingOfTheClientsTLS(t *testing.T) {
	onTLS(t, dialogue.OfferTLS, func(b *bench, client, server *peer) {
		c := secure(t, client)
		c.protectData()
		server.hearsNothing()
		io.WriteString(c, "USER joe\r\n")
		server.hears("USER joe")
		server.say("331 password")
		c.hears("331 password")
		if i := b.gateway.Sessions()[0]; i.TLS == nil || i.TLS.Version != "TLS 1.3" || i.TLS.Name != "ftp.example" {
			t.Errorf("the session's TLS is %+v", i.TLS)
		}
	})
}

func TestDataOfAProtectedSessionIsRelayedUnderTLS(t *testing.T) {
	onTLS(t, dialogue.RequireTLS, func(b *bench, client, server *peer) {
		c := secure(t, client)
		c.protectData()
		io.WriteString(c, "PASV\r\n")
		server.hears("PASV")
		server.say("227 (198,18,1,20,19,136)")
		c.hears("227 (203,0,113,1,195,80)")
		io.WriteString(c, "RETR x\r\n")
		server.hears("RETR x")
		server.say("150 here")
		c.hears("150 here")
		raw, target := arrive(t, b.kernel.Ports()[0])
		data := tls.Client(raw, clientTLS())
		text := strings.Repeat("down", 100000)
		go func() {
			io.WriteString(target, text)
			target.CloseWrite()
		}()
		if got, err := io.ReadAll(data); err != nil || string(got) != text {
			t.Errorf("%d bytes came out, %v", len(got), err)
		}
		data.Close()
		if got, err := io.ReadAll(target); err != nil || len(got) != 0 {
			t.Errorf("the server read %q, %v", got, err)
		}
		if one, ok := b.gateway.Data(1); !ok || one.TLS == nil || one.FromServer != uint64(len(text)) {
			t.Errorf("it is %+v", one)
		}
	})
}

func TestActiveDataIsUnderTLSWithTheGatewayAsItsServer(t *testing.T) {
	onTLS(t, dialogue.OfferTLS, func(b *bench, client, server *peer) {
		c := secure(t, client)
		c.protectData()
		io.WriteString(c, "PORT 203,0,113,10,195,81\r\n")
		server.hears("PORT 198,18,1,1,199,56")
		server.say("200 ok")
		c.hears("200 ok")
		p := b.kernel.Ports()[0]
		data, err := p.Arrive(ftpServer)
		if err != nil {
			t.Fatal(err)
		}
		at := tls.Client(p.Target(), clientTLS())
		go func() {
			io.WriteString(data, "down")
			data.CloseWrite()
		}()
		if got, err := io.ReadAll(at); err != nil || string(got) != "down" {
			t.Errorf("%q, %v", got, err)
		}
		at.Close()
	})
}

// An upload whose end is not told may be half a file.
func TestUploadWithoutItsCloseNotifyIsCut(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(data *tls.Conn, raw *algtest.Conn)
		want error
	}{
		"told":     {func(data *tls.Conn, _ *algtest.Conn) { data.CloseWrite() }, nil},
		"not told": {func(_ *tls.Conn, raw *algtest.Conn) { raw.CloseWrite() }, syscall.ECONNRESET},
	} {
		t.Run(name, func(t *testing.T) {
			onTLS(t, dialogue.OfferTLS, func(b *bench, client, server *peer) {
				s := secure(t, client)
				s.protectData()
				io.WriteString(s, "EPSV\r\n")
				server.hears("EPSV")
				server.say("229 (|||5000|)")
				s.hears("229 (|||50000|)")
				raw, target := arrive(t, b.kernel.Ports()[0])
				data := tls.Client(raw, clientTLS())
				go func() {
					io.WriteString(data, "half a file")
					synctest.Wait()
					c.end(data, raw)
				}()
				if _, err := io.ReadAll(target); !errors.Is(err, c.want) {
					t.Errorf("the server read %v, want %v", err, c.want)
				}
				if log := b.log.of("data_truncated"); (log != "") != (c.want != nil) {
					t.Errorf("logged %q", log)
				}
				raw.Close()
				target.Close()
			})
		})
	}
}

// A command that somebody has slipped in before the handshake is no command
// (RFC 4217 section 15.3).
func TestCommandsBehindAUTHDoNotCount(t *testing.T) {
	onTLS(t, dialogue.OfferTLS, func(b *bench, client, server *peer) {
		client.say("AUTH TLS", "DELE everything")
		client.hears("234 Begin TLS.")
		if _, err := io.ReadAll(client.r); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the client read %v", err)
		}
		server.hearsEnd()
	})
}

func TestAUTHWaitsForItsTurn(t *testing.T) {
	onTLS(t, dialogue.OfferTLS, func(b *bench, client, server *peer) {
		client.say("NOOP", "AUTH TLS")
		server.hears("NOOP")
		client.hearsNothing()
		server.say("200 ok", "421 too late")
		client.hears("200 ok")
		client.hears("234 Begin TLS.")
		c := tls.Client(client.Conn, clientTLS())
		client.SetReadDeadline(time.Time{})
		if got, err := bufio.NewReader(c).ReadString('\n'); err != nil || got != "421 too late\r\n" {
			t.Errorf("under TLS it heard %q, %v", got, err)
		}
	})
}

func TestAClientThatDoesNotShakeHandsIsLetGo(t *testing.T) {
	onTLS(t, dialogue.OfferTLS, func(b *bench, client, server *peer) {
		client.say("AUTH TLS")
		client.hears("234 Begin TLS.")
		time.Sleep(time.Minute)
		if n := len(b.gateway.Sessions()); n != 0 {
			t.Errorf("%d sessions after a minute", n)
		}
	})
}

func TestSessionUnderTLSEndsInOrder(t *testing.T) {
	onTLS(t, dialogue.OfferTLS, func(b *bench, client, server *peer) {
		c := secure(t, client)
		io.WriteString(c, "QUIT\r\n")
		server.hears("QUIT")
		server.say("221 bye")
		server.Close()
		c.hears("221 bye")
		if _, err := c.r.ReadByte(); err != io.EOF {
			t.Errorf("its stream ended with %v", err)
		}
		c.Close()
	})
}

func TestImplicitTLSBeginsWithTheConnection(t *testing.T) {
	svc := fronting()
	svc.Policy.TLS, svc.ImplicitTLS = dialogue.RequireTLS, true
	svc.TLS = &tls.Config{Certificates: []tls.Certificate{testCertificate(t)}}
	onBench(t, svc, testSettings(), func(b *bench) {
		client := b.connect(clientHost, outside)
		c := &secured{Conn: tls.Client(client.Conn, clientTLS()), t: t}
		c.r = bufio.NewReader(c)
		go func() {
			server := newPeer(t, "server", b.kernel.Server())
			server.say("220 ready")
			server.hears("USER joe")
			server.say("331 password")
		}()
		c.hears("220 ready")
		c.asks("USER joe", "331 password")
		c.asks("AUTH TLS", "503 The control connection is protected already.")
	})
}

// A session under TLS stays with the process that has its keys.
func TestParkLeavesASessionUnderTLSAlone(t *testing.T) {
	onTLS(t, dialogue.OfferTLS, func(b *bench, client, server *peer) {
		c := secure(t, client)
		if s, connections := b.gateway.Park(); len(s.Sessions) != 0 || len(connections) != 0 {
			t.Errorf("parked %+v", s.Sessions)
		}
		b.gateway.Unpark()
		io.WriteString(c, "NOOP\r\n")
		server.hears("NOOP")
	})
}

func TestADataConnectionThatDoesNotShakeHandsIsCut(t *testing.T) {
	onTLS(t, dialogue.OfferTLS, func(b *bench, client, server *peer) {
		s := secure(t, client)
		s.protectData()
		io.WriteString(s, "EPSV\r\n")
		server.hears("EPSV")
		server.say("229 (|||5000|)")
		s.hears("229 (|||50000|)")
		io.WriteString(s, "RETR x\r\n")
		server.hears("RETR x")
		server.say("150 here")
		s.hears("150 here")
		_, target := arrive(t, b.kernel.Ports()[0])
		began := time.Now()
		if _, err := io.ReadAll(target); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the server read %v", err)
		}
		if took := time.Since(began); took > 10*time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}
