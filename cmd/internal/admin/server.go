package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ftpalg/cmd/internal/words"
)

// Server answers on the admin socket, or on the address of admin.http.
type Server struct {
	http     *http.Server
	listener net.Listener
}

// Listen opens the Unix socket at path, which root and its group may use. A
// socket that a crashed predecessor left is replaced; one that answers is an
// error, since two gateways would fight for the same rules.
func Listen(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of the admin socket: %w", err)
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return nil, fmt.Errorf("admin socket %s: another ftpalg answers on it; stop it, or set admin.socket", path)
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		if err := removeStale(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the admin socket: %w", err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		l.Close()
		return nil, fmt.Errorf("set the mode of the admin socket: %w", err)
	}
	return l, nil
}

// removeStale removes a socket that nobody listens on. What is no socket
// refuses a connection too (unix(7)), and is somebody's file.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if err == nil && info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("admin socket %s: a file that is no socket is there; move it away, or set admin.socket", path)
	}
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		return fmt.Errorf("remove the stale admin socket: %w", err)
	}
	return nil
}

// NewServer returns a Server for the admin socket l, that shows and changes
// src once Serve is called, and shows the pages.
func NewServer(l net.Listener, src Source, pages Pages) *Server {
	mux := pages.on(views(src))
	change := func(what func() error) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if err := what(); err != nil {
				http.Error(w, err.Error(), http.StatusUnprocessableEntity)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		}
	}
	mux.HandleFunc("POST /reload", change(src.Reload))
	mux.HandleFunc("POST /upgrade", change(func() error { return src.Upgrade(false) }))
	mux.HandleFunc("POST /upgrade-if-replaced", change(func() error { return src.Upgrade(true) }))
	for what, yes := range map[string]bool{"/drain": false, "/undrain": true} {
		mux.HandleFunc("POST "+what, change(func() error {
			src.TakeSessions(yes)
			return nil
		}))
	}
	mux.HandleFunc("POST /session/{number}/kill", func(w http.ResponseWriter, r *http.Request) {
		n, ok := number(r)
		if !ok || !src.Kill(n) {
			noSession(w, r)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /bans/{client}/lift", func(w http.ResponseWriter, r *http.Request) {
		client, err := netip.ParseAddr(r.PathValue("client"))
		if err != nil || !src.LiftBan(client) {
			http.Error(w, "there is no ban of "+r.PathValue("client"), http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return newServer(l, mux)
}

// NewViewer returns a Server for the address of admin.http, that only shows
// src and the pages, to those whom guard lets through to what it is given.
func NewViewer(l net.Listener, src Source, pages Pages, guard func(http.Handler) http.Handler) *Server {
	return newServer(l, guard(pages.on(views(src))))
}

func newServer(l net.Listener, h http.Handler) *Server {
	const slowest = 10 * time.Second
	return &Server{
		listener: l,
		http:     &http.Server{Handler: h, ReadTimeout: slowest, IdleTimeout: slowest, MaxHeaderBytes: 1 << 14},
	}
}

// Serve answers until Close.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", s.listener.Addr(), err)
	}
	return nil
}

// Close ends the server, whether it serves or not, and removes the socket.
func (s *Server) Close() error {
	defer s.listener.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		return s.http.Close()
	}
	return nil
}

// views shows src: three tables and one session in JSON, whether the process answers
// (/healthz), and whether it serves (/readyz: 503 with what is missing).
func views(src Source) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { reply(w, src.Status()) })
	mux.HandleFunc("GET /sessions", func(w http.ResponseWriter, _ *http.Request) { reply(w, src.Sessions()) })
	mux.HandleFunc("GET /pinholes", func(w http.ResponseWriter, _ *http.Request) { reply(w, src.Pinholes()) })
	mux.HandleFunc("GET /bans", func(w http.ResponseWriter, _ *http.Request) { reply(w, src.Bans()) })
	mux.HandleFunc("GET /session/{number}", func(w http.ResponseWriter, r *http.Request) {
		n, valid := number(r)
		s, ok := src.Session(n)
		if !valid || !ok {
			noSession(w, r)
			return
		}
		reply(w, s)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if s := src.Status(); !s.Ready {
			http.Error(w, strings.Join(s.Missing, "\n"), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	return mux
}

// number returns the session that a request names.
func number(r *http.Request) (n uint64, ok bool) {
	n, err := strconv.ParseUint(r.PathValue("number"), 10, 64)
	return n, err == nil
}

func noSession(w http.ResponseWriter, r *http.Request) {
	http.Error(w, "there is no session "+r.PathValue("number"), http.StatusNotFound)
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(words.JSON(w)).Encode(v)
}
