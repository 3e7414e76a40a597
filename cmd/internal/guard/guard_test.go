package guard

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const goodToken = "6f1c0e5b9a7d4832"

// behind is what a guard stands before.
var behind = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "behind "+r.URL.Path) })

func newGuard(address, token string) *Guard {
	return New(Options{Address: netip.MustParseAddrPort(address), Token: token}, behind)
}

// ask sends a request with header fields given as "Name: value"; Host and the
// sender's address may be among them.
func ask(g *Guard, method, target, body string, fields ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host, r.RemoteAddr = "127.0.0.1:9121", "127.0.0.1:40000"
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		switch name {
		case "Host":
			r.Host = value
		case "From":
			r.RemoteAddr = value
		default:
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

// signIn sends the login form.
func signIn(g *Guard, token string, fields ...string) *httptest.ResponseRecorder {
	fields = append(fields, "Content-Type: application/x-www-form-urlencoded")
	return ask(g, "POST", "/login", url.Values{"token": {token}}.Encode(), fields...)
}

func TestHostMustBeOneOfTheGateways(t *testing.T) {
	for _, c := range []struct {
		address, host string
		passes        bool
	}{
		{"127.0.0.1:9121", "127.0.0.1:9121", true},
		{"127.0.0.1:9121", "127.0.0.1", true},
		{"127.0.0.1:9121", "localhost:8080", true}, // through a tunnel
		{"127.0.0.1:9121", "LocalHost", true},
		{"127.0.0.1:9121", "[::1]:9121", true},
		{"127.0.0.1:9121", "attacker.example:9121", false},
		{"127.0.0.1:9121", "localhost.attacker.example", false},
		{"127.0.0.1:9121", "203.0.113.1:9121", false},
		{"127.0.0.1:9121", "", false},
		{"203.0.113.1:9121", "203.0.113.1:9121", true},
		{"203.0.113.1:9121", "203.0.113.2:9121", false},
		{"[2001:db8::1]:9121", "[2001:DB8:0::1]:9121", true},
		{"[2001:db8::1]:9121", "[2001:db8::1]", true},
		{"0.0.0.0:9121", "203.0.113.2:9121", true},
		{"[::]:9121", "[::ffff:203.0.113.2]:9121", true},
		{"0.0.0.0:9121", "gateway.example:9121", false},
	} {
		w := ask(newGuard(c.address, ""), "GET", "/status", "", "Host: "+c.host)
		if passed := w.Code == http.StatusOK; passed != c.passes || !passed && w.Code != http.StatusMisdirectedRequest {
			t.Errorf("at %s, Host %q: %d", c.address, c.host, w.Code)
		}
	}
}

func TestOtherSitesReadNothing(t *testing.T) {
	for _, c := range []struct {
		path   string
		fields []string
		want   int
	}{
		{"/events", nil, 200}, // curl
		{"/events", []string{"Sec-Fetch-Site: same-origin"}, 200},
		{"/events", []string{"Sec-Fetch-Site: none"}, 200},
		{"/events", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"/events", []string{"Sec-Fetch-Site: same-site"}, 403},
		{"/events", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, 403},
		{"/", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, 200}, // a link
		{"/", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, 403},
		{"/", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"}, 403},
		{"/events", []string{"Origin: http://127.0.0.1:9121"}, 200},
		{"/events", []string{"Origin: http://attacker.example"}, 403},
		{"/events", []string{"Origin: http://127.0.0.1:8000"}, 403},
		{"/events", []string{"Origin: null"}, 403},
		{"/healthz", []string{"Sec-Fetch-Site: cross-site", "Host: anything"}, 200},
	} {
		w := ask(newGuard("127.0.0.1:9121", ""), "GET", c.path, "", c.fields...)
		if w.Code != c.want {
			t.Errorf("%s with %q: %d, want %d", c.path, c.fields, w.Code, c.want)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s is shared with other sites", c.path)
		}
	}
	if w := signIn(newGuard("127.0.0.1:9121", goodToken), goodToken, "Origin: http://attacker.example"); w.Code != 403 {
		t.Errorf("signing in from another site: %d", w.Code)
	}
}

func TestHeaderFieldsBindTheBrowser(t *testing.T) {
	for _, path := range []string{"/", "/status", "/login", "/healthz"} {
		h := ask(newGuard("127.0.0.1:9121", goodToken), "GET", path, "").Header()
		csp := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none';") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: %s", path, csp)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
}

func TestTokenIsAskedForEverywhereButHealth(t *testing.T) {
	g := newGuard("203.0.113.1:9121", goodToken)
	for _, c := range []struct {
		path, authorization string
		want                int
	}{
		{"/healthz", "", 200},
		{"/", "", 303},
		{"/status", "", 401}, {"/metrics", "", 401}, {"/events", "", 401}, {"/debug/pprof/", "", 401}, {"/healthz/", "", 401},
		{"/status?token=" + goodToken, "", 401},
		{"/status", "Bearer " + goodToken, 200},
		{"/metrics", "bearer " + goodToken, 200},
		{"/status", "Bearer " + goodToken + "x", 401},
		{"/status", "Bearer " + goodToken[1:], 401},
		{"/status", "Bearer ", 401},
		{"/status", "Basic " + goodToken, 401},
		{"/status", goodToken, 401},
	} {
		w := ask(g, "GET", c.path, "", "Host: 203.0.113.1:9121", "Authorization: "+c.authorization)
		if w.Code != c.want {
			t.Errorf("%s with %q: %d, want %d", c.path, c.authorization, w.Code, c.want)
		}
		if w.Code == 401 && w.Header().Get("WWW-Authenticate") != `Bearer realm="ftpalg"` {
			t.Errorf("%s: WWW-Authenticate is %q", c.path, w.Header().Get("WWW-Authenticate"))
		}
		if w.Code != 200 && strings.Contains(w.Body.String(), "behind") {
			t.Errorf("%s: %s", c.path, w.Body)
		}
	}
	// A scraper may know the gateway by a name.
	if w := ask(g, "GET", "/metrics", "", "Host: gateway.example", "Authorization: Bearer "+goodToken); w.Code != 200 {
		t.Errorf("by name: %d", w.Code)
	}
}

func TestSigningIn(t *testing.T) {
	g := newGuard("127.0.0.1:9121", goodToken)
	if w := ask(g, "GET", "/login", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `type="password"`) {
		t.Errorf("the form: %d %s", w.Code, w.Body)
	}
	if w := signIn(g, "not the token at all"); w.Code != 401 || w.Header().Get("Set-Cookie") != "" || !strings.Contains(w.Body.String(), "That is not the token.") {
		t.Errorf("a wrong token: %d %s", w.Code, w.Body)
	}
	w := signIn(g, goodToken)
	cookie, err := http.ParseSetCookie(w.Header().Get("Set-Cookie"))
	if w.Code != 303 || w.Header().Get("Location") != "/" || err != nil {
		t.Fatalf("the token: %d, %v", w.Code, err)
	}
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || strings.Contains(cookie.Value, goodToken) {
		t.Errorf("the cookie is %s", cookie)
	}
	pass := "Cookie: " + cookieName + "=" + cookie.Value
	if w := ask(g, "GET", "/events", "", pass); w.Body.String() != "behind /events" {
		t.Errorf("with the cookie: %d %s", w.Code, w.Body)
	}
	for _, forged := range []string{"Cookie: ftpalg=", "Cookie: ftpalg=" + goodToken, "Cookie: ftpalg=" + cookie.Value[1:]} {
		if w := ask(g, "GET", "/events", "", forged); w.Code != 401 {
			t.Errorf("%s: %d", forged, w.Code)
		}
	}
	for _, q := range []struct {
		method, target, body string
		want                 int
	}{
		{"PUT", "/login", "", 405}, {"POST", "/login?token=" + goodToken, "", 401},
		{"POST", "/login", "token=" + strings.Repeat("x", 2*mostForm), 401}, {"GET", "/login.css", "", 200},
	} {
		if w := ask(g, q.method, q.target, q.body, "Content-Type: application/x-www-form-urlencoded"); w.Code != q.want {
			t.Errorf("%s %s: %d, want %d", q.method, q.target, w.Code, q.want)
		}
	}
	if w := ask(newGuard("127.0.0.1:9121", goodToken), "GET", "/events", "", pass); w.Code != 401 {
		t.Errorf("at another gateway the cookie opens: %d", w.Code)
	}
}

func TestSessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard("127.0.0.1:9121", goodToken)
		begin := func() string {
			c, err := http.ParseSetCookie(signIn(g, goodToken).Header().Get("Set-Cookie"))
			if err != nil {
				t.Fatal(err)
			}
			return "Cookie: " + cookieName + "=" + c.Value
		}
		first := begin()
		time.Sleep(time.Minute)
		second := begin()
		for range mostSessions - 1 {
			begin()
		}
		if got := ask(g, "GET", "/status", "", first).Code; got != 401 {
			t.Errorf("the oldest of too many: %d", got)
		}
		if got := ask(g, "GET", "/status", "", second).Code; got != 200 {
			t.Errorf("the second: %d", got)
		}
		time.Sleep(sessionLasts)
		if got := ask(g, "GET", "/status", "", second).Code; got != 401 {
			t.Errorf("after its time: %d", got)
		}
	})
}

func TestGuessingIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard("0.0.0.0:9121", goodToken)
		const guesser, neighbour, other = "From: [2001:db8::1]:1", "From: [2001:db8::2]:1", "From: [2001:db8:0:1::1]:1"
		for i := range mostFailures {
			if code := signIn(g, "some guess or other", guesser).Code; code != 401 {
				t.Fatalf("guess %d: %d", i, code)
			}
		}
		for _, from := range []string{guesser, neighbour} {
			if w := signIn(g, goodToken, from); w.Code != 429 || w.Header().Get("Retry-After") != "60" {
				t.Errorf("%s: %d", from, w.Code)
			}
			if w := ask(g, "GET", "/status", "", from, "Authorization: Bearer "+goodToken); w.Code != 429 {
				t.Errorf("%s with a bearer token: %d", from, w.Code)
			}
		}
		if w := signIn(g, goodToken, other); w.Code != 303 {
			t.Errorf("another sender: %d", w.Code)
		}
		time.Sleep(failuresLast)
		if w := signIn(g, goodToken, guesser); w.Code != 303 {
			t.Errorf("a minute later: %d", w.Code)
		}
	})
}

func TestGuessersTakeNoMemory(t *testing.T) {
	g := newGuard("0.0.0.0:9121", goodToken)
	for i := range 3 * mostSenders {
		signIn(g, "some guess or other", "From: "+netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), 1).String())
	}
	if n := len(g.attempts.senders); n > mostSenders {
		t.Errorf("%d senders are remembered", n)
	}
}
