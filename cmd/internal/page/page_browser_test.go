package page

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	rowsOfSessions = `document.querySelectorAll("#sessions tbody tr").length`
	firstSession   = `document.querySelector("#sessions tbody td").textContent`
	background     = `getComputedStyle(document.body).backgroundColor`
)

func TestBrowserShowsThePageLive(t *testing.T) {
	src := newLively(40)
	b := open(t, src, "")
	b.holds(rowsOfSessions + ` === 41`)
	b.holds(`document.getElementById("live").textContent === "Live"`)
	for id, want := range map[string]string{"ready": "Ready", "version": "1.0.0", "path": "conntrack", "uptime": "1 d 2 h"} {
		if got := eval[string](b, `document.getElementById("`+id+`").textContent`); got != want {
			t.Errorf("%s is %q, want %q", id, got, want)
		}
	}
	label := eval[string](b, `document.querySelector("#bytes-chart svg[role=img]").getAttribute("aria-label")`)
	if !strings.HasPrefix(label, "Bytes per second over the last 5 minutes: ") || !strings.Contains(label, "/s now, ") || !strings.HasSuffix(label, "MB/s at most.") {
		t.Errorf("the chart says %q", label)
	}
	if got := eval[string](b, `document.querySelector("#pools [role=meter]").getAttribute("aria-valuetext")`); got != "37 promised, 112 resting, 851 free" {
		t.Errorf("the pool says %q", got)
	}
	b.holds(`document.querySelector("#servers").innerText === "legacy: 198.18.1.20:21, 3 sessions\nlegacy: 198.18.1.21:21, left out: dial 198.18.1.21:21: connect: connection refused"`)
	b.holds(`document.querySelector("#refusals").textContent.includes("too many sessions from one address41")`)

	before := eval[string](b, `document.querySelector("#sessions tbody tr:last-child td:last-child").textContent`)
	src.set(func() {
		src.count, src.missing = 45, []string{"legacy: accept on 203.0.113.1:21: use of closed network connection"}
	})
	b.holds(rowsOfSessions + ` === 46`)
	b.holds(`document.querySelector("#sessions tbody tr:last-child td:last-child").textContent !== "` + before + `"`)
	b.holds(`document.getElementById("ready").textContent === "Not ready" && document.getElementById("missing").innerText.includes("203.0.113.1:21")`)
	b.keep("status-not-ready-1280.png")
	src.set(func() { src.count, src.missing = 0, nil })
	b.holds(rowsOfSessions + ` === 1 && document.getElementById("missing").hidden`)
	b.quiet()
}

func TestBrowserIsUsedWithTheKeyboard(t *testing.T) {
	b := open(t, newLively(40), "")
	b.holds(rowsOfSessions + ` === 41`)
	b.press("/")
	b.do(chromedp.KeyEvent("lan opaque"))
	b.holds(rowsOfSessions + ` === 4 && document.querySelector("#sessions-title").textContent.includes("4 of 41 match")`)
	b.holds(`document.querySelectorAll("#pinholes tbody tr").length === 0`)
	b.do(chromedp.KeyEvent("nobody"))
	b.holds(`document.querySelector("#sessions").closest("section").innerText.includes("None of 41 matches.")`)
	b.do(chromedp.KeyEvent(kb.Escape))
	b.holds(rowsOfSessions + ` === 41 && ` + firstSession + ` === "41"`)

	// From the search to the first column's button.
	b.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab))
	if got := eval[string](b, `document.activeElement.textContent`); got != "Number" {
		t.Fatalf("the focus is on %q", got)
	}
	if got := eval[string](b, `getComputedStyle(document.activeElement).outlineStyle`); got != "solid" {
		t.Errorf("the focus is shown as %q", got)
	}
	sorted := func(column string) string {
		return `document.querySelector("#sessions th[data-column=` + column + `]").getAttribute("aria-sort")`
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.holds(firstSession + ` === "1" && ` + sorted("session") + ` === "ascending"`)
	for range 7 {
		b.do(chromedp.KeyEvent(kb.Tab))
	}
	b.do(chromedp.KeyEvent(" "), chromedp.KeyEvent(" "))
	b.holds(firstSession + ` === "41" && ` + sorted("bytes") + ` === "descending" && ` + sorted("session") + ` === "none"`)
	b.quiet()
}

func TestBrowserShowsLightAndDark(t *testing.T) {
	b := open(t, newLively(18), "")
	b.holds(rowsOfSessions + ` === 19`)
	const light, dark = "rgb(244, 245, 247)", "rgb(19, 22, 27)"
	expect := func(when, want string) {
		t.Helper()
		if got := eval[string](b, background); got != want {
			t.Errorf("%s the ground is %s, want %s", when, got, want)
		}
	}
	b.prefers("light")
	expect("on a light system", light)
	b.keep("status-light-1280.png")
	b.prefers("dark")
	expect("on a dark system", dark)
	b.keep("status-dark-1280.png")
	b.do(chromedp.Click(`#theme input[value=light]`))
	expect("switched to light", light)
	b.do(chromedp.Reload())
	b.holds(rowsOfSessions + ` === 19`)
	expect("after a reload", light)
	b.do(chromedp.Focus(`#theme input[value=light]`), chromedp.KeyEvent(kb.ArrowLeft))
	expect("back to the system's", dark)
	b.quiet()
}

func TestBrowserFitsAPhone(t *testing.T) {
	b := open(t, newLively(18), "")
	b.do(chromedp.EmulateViewport(375, 812, chromedp.EmulateMobile))
	b.holds(rowsOfSessions + ` === 19`)
	if got := eval[int](b, `document.documentElement.scrollWidth`); got > 375 {
		t.Errorf("the page is %d pixels wide", got)
	}
	if got := eval[[]string](b, `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > 375.5).map((e) => e.outerHTML.slice(0, 80))`); len(got) > 0 {
		t.Errorf("beyond the edge: %q", got)
	}
	b.do(chromedp.Click(`#sessions th[data-column=session] button`))
	b.holds(firstSession + ` === "1"`)
	b.keep("status-phone-375.png")
	b.quiet()
}

func TestBrowserSaysThatItIsNotLive(t *testing.T) {
	url, stop := serveAt(t, "127.0.0.1:0", newLively(3), guarded(""))
	b := browse(t, url)
	b.holds(rowsOfSessions + ` === 4`)
	stop()
	b.holds(`/^Not live, since \d\d:\d\d:\d\d$/.test(document.getElementById("live").textContent)`)
	serveAt(t, b.host, newLively(5), guarded(""))
	b.holds(`document.getElementById("live").textContent === "Live" && ` + rowsOfSessions + ` === 6`)
}

func TestBrowserStandsTenThousandSessions(t *testing.T) {
	b := open(t, newLively(9999), "")
	b.holds(rowsOfSessions + ` === 200`)
	b.holds(`document.querySelector("#sessions-title").textContent.includes("10,000, 200 shown, 9,800 left out")`)
	b.do(chromedp.SendKeys("#query", "192.0.2.7"))
	b.holds(rowsOfSessions + ` === 1 && ` + firstSession + ` === "1"`) // which was left out before
	b.quiet()
}

func TestBrowserSignsIn(t *testing.T) {
	const token = "6f1c0e5b9a7d4832"
	b := open(t, newLively(3), token)
	b.holds(`location.pathname === "/login" && document.activeElement.id === "token"`)
	b.keep("sign-in-1280.png")
	b.quiet()
	b.do(chromedp.KeyEvent("a wrong one"), chromedp.KeyEvent(kb.Enter))
	b.holds(`document.querySelector("[role=alert]")?.textContent === "That is not the token." && document.activeElement.id === "token"`)
	b.do(chromedp.KeyEvent(token), chromedp.KeyEvent(kb.Enter))
	b.holds(`location.pathname === "/" && ` + rowsOfSessions + ` === 4`)
	if got := eval[string](b, `document.cookie`); got != "" {
		t.Errorf("scripts see the cookie %q", got)
	}
}
