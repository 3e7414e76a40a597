package capture

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"testing"
	"time"
)

// said is a piece of a recorded handshake.
type said struct {
	byServer bool
	data     []byte
}

// recorded is a connection whose words are written down.
type recorded struct {
	net.Conn
	byServer bool
	into     chan<- said
}

func (r recorded) Write(p []byte) (int, error) {
	r.into <- said{r.byServer, append([]byte(nil), p...)}
	return r.Conn.Write(p)
}

// shake has a client and a server shake hands and exchange a word, and returns all
// that was said.
func shake(t *testing.T, client, server *tls.Config) (all []said) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{a, b} {
		defer c.Close()
		c.SetDeadline(time.Now().Add(10 * time.Second))
	}
	into := make(chan said, 100)
	done := make(chan error, 1)
	go func() {
		c := tls.Server(recorded{b, true, into}, server)
		_, err := io.Copy(c, c)
		done <- err
	}()
	c := tls.Client(recorded{a, false, into}, client)
	if _, err := c.Write([]byte("a word")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	a.Close()
	<-done
	close(into)
	for s := range into {
		all = append(all, s)
	}
	return all
}

func TestTheBeginningOfTLSShowsWhatWasChosen(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		server := &tls.Config{
			Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
			// The client begins with another, so that it is asked once more.
			CurvePreferences: []tls.CurveID{tls.CurveP384},
		}
		client := &tls.Config{
			InsecureSkipVerify: true, ServerName: "ftp.example.net", MinVersion: version, MaxVersion: version,
			ClientSessionCache: tls.NewLRUClientSessionCache(1), CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
			CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP384},
		}
		for _, resumed := range []bool{false, true} {
			all := shake(t, client, server)
			for _, piece := range []int{1, 100, 1 << 20} {
				h, found := new(handshake), (*Protection)(nil)
			reading:
				for _, s := range all {
					for data := s.data; len(data) > 0; {
						n := min(piece, len(data))
						p, over := h.take(s.byServer, data[:n])
						if data = data[n:]; over {
							found = p
							break reading
						}
					}
				}
				switch {
				case found == nil:
					t.Errorf("%s in pieces of %d shows nothing", tls.VersionName(version), piece)
				case found.Version != tls.VersionName(version) || found.Cipher == "" || found.Name != "ftp.example.net" || found.Resumed != resumed:
					t.Errorf("%s, resumed %v, in pieces of %d is shown as %+v", tls.VersionName(version), resumed, piece, *found)
				}
			}
		}
	}
}

// FuzzAnyHandshakeEnds has anything be said by either side.
func FuzzAnyHandshakeEnds(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"), []byte("\x16\x03\x03\x00\x04\x02\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, client, server []byte) {
		h := new(handshake)
		for i := range max(len(client), len(server)) {
			for side, data := range [][]byte{client, server} {
				if i >= len(data) {
					continue
				}
				if _, over := h.take(side == 1, data[i:i+1]); over {
					return
				}
			}
			if n := h.heldBytes(); n > 8*longestHello {
				t.Fatalf("%d bytes are held", n)
			}
		}
	})
}
