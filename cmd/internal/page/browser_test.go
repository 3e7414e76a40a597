package page

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"ftpalg/cmd/internal/guard"
)

// browser is a tab of a real chromium, and what it complained about or asked
// of others.
type browser struct {
	t    *testing.T
	ctx  context.Context
	host string

	mu       sync.Mutex
	problems []string
}

// chromium returns the browser's path. The test is skipped unless FTPALG_E2E
// demands every test; then it fails without a browser.
func chromium(t *testing.T) string {
	t.Helper()
	if os.Getenv("FTPALG_E2E") != "1" {
		t.Skip("set FTPALG_E2E=1 to run the tests in a browser")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is missing: make test-tools installs it")
	}
	return path
}

// guarded puts a guard with that token before a page.
func guarded(token string) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return guard.New(guard.Options{Address: netip.MustParseAddrPort("127.0.0.1:9121"), Token: token}, h)
	}
}

// open opens the page of src, which a guard with that token stands before.
func open(t *testing.T, src Source, token string) *browser {
	t.Helper()
	return browse(t, serve(t, src, guarded(token)))
}

// browse opens the page at base in a new browser.
func browse(t *testing.T, base string) *browser {
	t.Helper()
	path := chromium(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	limit, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	allocator, cancel := chromedp.NewExecAllocator(limit, options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, ctx: ctx, host: u.Host}
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(base+"/"))
	return b
}

// note keeps what should not happen: a message on the console, an exception,
// a request to another host.
func (b *browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		b.problems = append(b.problems, fmt.Sprintf("console: %s", e.Args[0].Value))
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, "exception: "+e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		b.problems = append(b.problems, fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL))
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || u.Host != b.host {
			b.problems = append(b.problems, "a request to "+e.Request.URL)
		}
	}
}

// quiet fails the test if anything was noted.
func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		b.t.Error(p)
	}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// holds waits until a condition in JavaScript is true.
func (b *browser) holds(condition string) {
	b.t.Helper()
	const most, pause = 30 * time.Second, 50 * time.Millisecond
	for range most / pause {
		// A page that is just being left has no answer.
		if is, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](condition)); err == nil && is {
			return
		}
		b.do(chromedp.Sleep(pause))
	}
	b.t.Fatalf("never: %s\nthe page says:\n%s", condition, eval[string](b, `document.body.innerText`))
}

// eval returns the value of an expression in JavaScript.
func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// keep stores a picture of the whole page beside the test's results.
func (b *browser) keep(name string) {
	b.t.Helper()
	dir := os.Getenv("FTPALG_ARTEFACTS")
	if dir == "" {
		dir = b.t.ArtifactDir()
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
	b.t.Logf("picture: %s", path)
}

// prefers makes it a system of that colour scheme.
func (b *browser) prefers(scheme string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// press types one character as a keyboard does: whoever handles the key can
// keep the character from being written.
func (b *browser) press(key string) {
	b.t.Helper()
	call(b, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key})
	call(b, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key})
}

// call sends a command of the DevTools protocol.
func call[P, R any](b *browser, command cdp.Command[P, R], parameters P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, command, parameters); err != nil {
		b.t.Fatal(err)
	}
}
