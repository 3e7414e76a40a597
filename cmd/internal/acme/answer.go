package acme

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
)

// Bounds of what strangers may ask.
const (
	askTimeout    = 10 * time.Second
	longestHead   = 8 << 10
	mostAtOnce    = 64
	challengeALPN = acmez.ACMETLS1Protocol
)

// answer answers the authority's questions until ctx ends.
func answer(ctx context.Context, serving *sync.WaitGroup, o Options, all []*ordered) {
	for _, l := range o.HTTP {
		s := &http.Server{
			Handler: challenges(all), ReadTimeout: askTimeout, WriteTimeout: askTimeout, MaxHeaderBytes: longestHead,
			ErrorLog: log.New(io.Discard, "", 0),
		}
		context.AfterFunc(ctx, func() { s.Close() })
		serving.Go(func() { s.Serve(l) }) // its error says that it was closed
	}
	config := &tls.Config{
		NextProtos:     []string{challengeALPN},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return proof(all, hello) },
	}
	for _, l := range o.TLS {
		context.AfterFunc(ctx, func() { l.Close() })
		serving.Go(func() { shakeHands(ctx, l, config) })
	}
}

// challenges answers HTTP-01 (RFC 8555 section 8.3), and nothing else.
func challenges(all []*ordered) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if certmagic.LooksLikeHTTPChallenge(r) {
			for _, one := range all {
				if one.issuer.HandleHTTPChallenge(w, r) {
					return
				}
			}
		}
		http.NotFound(w, r)
	})
}

// errNoChallenge ends a handshake that is not the authority's.
var errNoChallenge = errors.New("no challenge")

// proof returns the certificate that answers TLS-ALPN-01 (RFC 8737 section 3).
func proof(all []*ordered, hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if !slices.Equal(hello.SupportedProtos, []string{challengeALPN}) {
		return nil, errNoChallenge
	}
	for _, one := range all {
		if slices.Contains(one.order.Names, hello.ServerName) {
			if c, err := one.magic.GetCertificate(hello); err == nil {
				return c, nil
			}
		}
	}
	return nil, errNoChallenge
}

// shakeHands does so with everybody who comes: there is nothing else to be had.
func shakeHands(ctx context.Context, l net.Listener, config *tls.Config) {
	atOnce := make(chan struct{}, mostAtOnce)
	for {
		c, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			time.Sleep(time.Second) // no descriptors
			continue
		}
		select {
		case atOnce <- struct{}{}:
		default:
			c.Close()
			continue
		}
		go func() {
			defer func() { <-atOnce }()
			defer c.Close()
			c.SetDeadline(time.Now().Add(askTimeout))
			_ = tls.Server(c, config).HandshakeContext(ctx) // whoever it was
		}()
	}
}
