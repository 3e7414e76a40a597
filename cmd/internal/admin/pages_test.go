package admin

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// page returns the status and text of what a viewer with these pages answers.
func page(t *testing.T, pages Pages, path string) (int, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, NewViewer(l, &fakeSource{}, pages, free))
	res, err := http.Get("http://" + l.Addr().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestPagesAreServed(t *testing.T) {
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	if status, text := page(t, Pages{"GET /metrics": hello}, "/metrics"); status != 200 || text != "hello" {
		t.Errorf("%d %q", status, text)
	}
}

func TestProfilesAreThereOnlyWhenSwitchedOn(t *testing.T) {
	pages := Pages{}
	if status, _ := page(t, pages, "/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("switched off: %d", status)
	}
	pages.AddProfiles()
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=1"} {
		if status, text := page(t, pages, path); status != 200 || !strings.Contains(text, "admin") && !strings.Contains(text, "goroutine") {
			t.Errorf("%s: %d %q", path, status, text)
		}
	}
}
