// Package acme has certificates come from an authority (ACME, RFC 8555), and keeps
// them in a folder, from which a gateway reads them as from any other. It is for a
// process of its own, without privileges: what it must listen on it is given.
package acme

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"ftpalg/cmd/internal/acme/order"
)

// Options are what Run works with.
type Options struct {
	Orders []order.Order
	// HTTP and TLS are where the authority asks.
	HTTP, TLS []net.Listener
	Log       *slog.Logger
	// Renewed is called when a certificate has changed.
	Renewed func()
}

// lookEvery is how often the storage is looked at beside what is told.
const lookEvery = time.Minute

// Run has the certificates come, and be renewed, until ctx ends.
func Run(ctx context.Context, o Options) error {
	var all []*ordered
	for _, asked := range o.Orders {
		one, err := newOrdered(asked, o)
		if err != nil {
			return err
		}
		defer one.cache.Stop()
		all = append(all, one)
	}
	var serving sync.WaitGroup
	defer serving.Wait()
	answer(ctx, &serving, o, all)
	for _, one := range all {
		one.export(ctx)
		if err := one.magic.ManageAsync(ctx, one.order.Names); err != nil {
			return fmt.Errorf("certificates for %v: %w", one.order.Names, err)
		}
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			for _, one := range all {
				one.export(ctx)
			}
		}
	}
}

// ordered is one order under way.
type ordered struct {
	order   order.Order
	options Options
	storage *certmagic.FileStorage
	cache   *certmagic.Cache
	magic   *certmagic.Config
	issuer  *certmagic.ACMEIssuer
}

func newOrdered(asked order.Order, o Options) (*ordered, error) {
	one := &ordered{order: asked, options: o, storage: &certmagic.FileStorage{Path: asked.Storage}}
	silent := zap.NewNop() // events tell the same
	one.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return one.magic, nil },
		Logger:           silent,
	})
	one.magic = certmagic.New(one.cache, certmagic.Config{Storage: one.storage, OnEvent: one.event, Logger: silent, OCSP: certmagic.OCSPConfig{DisableStapling: true}})
	template := certmagic.ACMEIssuer{
		CA: asked.Directory, TestCA: asked.Directory, Email: asked.Email, Agreed: true, Logger: silent,
		DisableHTTPChallenge: !asked.HTTP, DisableTLSALPNChallenge: !asked.TLS,
		// The library would listen itself; it does where nobody comes, and what comes
		// to the addresses of the configuration is answered from its storage.
		ListenHost: "127.0.0.1", AltHTTPPort: freePort(), AltTLSALPNPort: freePort(),
	}
	if len(asked.CA) > 0 {
		template.TrustedRoots = x509.NewCertPool()
		if !template.TrustedRoots.AppendCertsFromPEM(asked.CA) {
			return nil, errors.New("the file of the authority's own certificate holds none")
		}
	}
	one.issuer = certmagic.NewACMEIssuer(one.magic, template)
	one.magic.Issuers = []certmagic.Issuer{one.issuer}
	return one, nil
}

// freePort returns a port of loopback that is free at the moment; if it is not any
// more, somebody else's listening there does no harm.
func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// event is told what the library does.
func (one *ordered) event(ctx context.Context, event string, data map[string]any) error {
	log, name := one.options.Log, data["identifier"]
	switch event {
	case "cert_obtaining":
		log.Info("a certificate is asked for", "event", "acme_asking", "name", name, "directory", one.order.Directory)
	case "cert_failed":
		log.Error("no certificate has come; it is asked for again", "event", "acme_failed", "name", name, "directory", one.order.Directory, "error", data["error"])
	case "cert_obtained":
		log.Info("a certificate has come", "event", "acme_obtained", "name", name, "directory", one.order.Directory)
		one.export(ctx)
	}
	return nil
}

// export puts the certificates that have come where the gateway reads them.
func (one *ordered) export(ctx context.Context) {
	changed := false
	for _, name := range one.order.Names {
		done, err := one.exportPair(ctx, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			one.options.Log.Error("a certificate cannot be stored", "event", "acme_storage_failed", "name", name, "error", err)
		}
		changed = changed || done
	}
	if changed {
		one.options.Renewed()
	}
}

// exportPair writes a certificate with its key into one file, so that nobody ever
// reads halves of two.
func (one *ordered) exportPair(ctx context.Context, name string) (changed bool, err error) {
	key := one.issuer.IssuerKey()
	certificate, err := one.storage.Load(ctx, certmagic.StorageKeys.SiteCert(key, name))
	if err != nil {
		return false, err
	}
	private, err := one.storage.Load(ctx, certmagic.StorageKeys.SitePrivateKey(key, name))
	if err != nil {
		return false, err
	}
	text := append(certificate, private...)
	if _, err := tls.X509KeyPair(text, text); err != nil {
		return false, fmt.Errorf("certificate of %s: %w", name, err)
	}
	path := order.Pair(one.order.Storage, name)
	if now, err := os.ReadFile(path); err == nil && string(now) == string(text) {
		return false, nil
	}
	return true, replaceFile(path, text)
}

// replaceFile puts a file in the place of another, whole.
func replaceFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = cmp.Or(err, f.Chmod(0o640), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
