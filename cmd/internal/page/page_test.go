package page

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// newPage returns a page of src, and what serves it.
func newPage(src Source) (*Page, *http.ServeMux) {
	p, mux := New(src), http.NewServeMux()
	for pattern, h := range p.Parts() {
		mux.Handle(pattern, h)
	}
	return p, mux
}

// serve serves a page of src as the gateway does, with limits short enough to
// be met, until the test ends.
func serve(t *testing.T, src Source, wrap func(http.Handler) http.Handler) (url string) {
	t.Helper()
	url, _ = serveAt(t, "127.0.0.1:0", src, wrap)
	return url
}

// serveAt serves a page at an address until stop is called, or the test ends.
func serveAt(t *testing.T, addr string, src Source, wrap func(http.Handler) http.Handler) (url string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p, mux := newPage(src)
	s := httptest.NewUnstartedServer(wrap(mux))
	s.Listener.Close()
	s.Listener, s.Config.ReadTimeout = l, 2*Every
	s.Start()
	stop = sync.OnceFunc(func() { p.Close(); s.Close() })
	t.Cleanup(stop)
	return s.URL, stop
}

func bare(h http.Handler) http.Handler { return h }

func get(t *testing.T, url string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// next reads the next event of a stream.
func next(t *testing.T, r *bufio.Reader) (f frame) {
	t.Helper()
	text, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	data, ok := strings.CutPrefix(text, "data: ")
	if blank, err := r.ReadString('\n'); !ok || err != nil || blank != "\n" {
		t.Fatalf("an event is %q, %q, %v", text, blank, err)
	}
	if err := json.Unmarshal([]byte(data), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEventsGoOnBeyondTheServersLimits(t *testing.T) {
	url := serve(t, newLively(3), bare)
	res := get(t, url+"/events?q=192.0.2.7")
	if got := res.Header.Get("Content-Type"); res.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("%s, %s", res.Status, got)
	}
	events := bufio.NewReader(res.Body)
	var before uint64
	for range 4 { // longer than ReadTimeout
		f := next(t, events)
		if len(f.Sessions.Rows) != 1 || f.Sessions.Total != 4 || f.Sessions.Rows[0].FromServer <= before || f.Path != "conntrack" {
			t.Fatalf("the frame is %+v", f)
		}
		before = f.Sessions.Rows[0].FromServer
	}
}

func TestOnlyWhatIsThereIsServed(t *testing.T) {
	url := serve(t, newLively(0), bare)
	for path, want := range map[string]string{
		"/": "text/html; charset=utf-8", "/assets/page.css": "text/css; charset=utf-8",
		"/assets/page.js": "text/javascript; charset=utf-8", "/assets/icon.svg": "image/svg+xml",
	} {
		if res := get(t, url+path); res.StatusCode != 200 || res.Header.Get("Content-Type") != want {
			t.Errorf("%s: %s, %s", path, res.Status, res.Header.Get("Content-Type"))
		}
	}
	for path, want := range map[string]int{
		"/assets/": 404, "/assets/none.js": 404, "/page.go": 404, "/events?sessions=none": 400,
	} {
		if res := get(t, url+path); res.StatusCode != want {
			t.Errorf("%s: %s, want %d", path, res.Status, want)
		}
	}
}

func TestOneTooManyIsToldSo(t *testing.T) {
	url := serve(t, newLively(0), bare)
	for range mostViewers {
		next(t, bufio.NewReader(get(t, url+"/events").Body))
	}
	if res := get(t, url+"/events"); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("one more: %s, %v", res.Status, res.Header)
	}
}

func TestCloseEndsTheEvents(t *testing.T) {
	p, mux := newPage(newLively(0))
	s := httptest.NewServer(mux)
	defer s.Close()
	events := bufio.NewReader(get(t, s.URL+"/events").Body)
	next(t, events)
	p.Close()
	for range 2 { // one may have been under way
		if _, err := events.ReadString('\n'); err != nil {
			return
		}
		events.ReadString('\n')
	}
	t.Error("the stream goes on")
}

// A viewer that reads nothing is cut off, and the others do not wait for it.
func TestViewerThatStopsReadingIsCutOff(t *testing.T) {
	p, mux := newPage(newLively(9999))
	left := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(w, r)
		if r.URL.RawQuery == "q=198.51" {
			close(left)
		}
	}))
	s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		c.(*net.TCPConn).SetWriteBuffer(1)
		return ctx
	}
	s.Start()
	defer s.Close()
	defer p.Close()
	stuck, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	stuck.(*net.TCPConn).SetReadBuffer(1)
	if _, err := stuck.Write([]byte("GET /events?q=198.51 HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	events := bufio.NewReader(get(t, s.URL+"/events").Body)
	for range 15 {
		next(t, events)
		select {
		case <-left:
			return
		default:
		}
	}
	t.Error("it still counts as a viewer")
}
