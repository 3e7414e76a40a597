package guard

import (
	"embed"
	"html"
	"net/http"
	"strconv"
	"strings"
)

//go:embed assets
var assets embed.FS

//go:embed assets/login.html
var form string

const tooManyText = "Too many wrong tokens from your address; wait a minute."

// mostForm bounds the login form's content, in bytes.
const mostForm = 4096

// login shows the form, and takes what was typed.
func (g *Guard) login(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		show(w, http.StatusOK, "")
		return
	case http.MethodPost:
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, "The form is sent with POST.", http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	switch g.try(r, r.PostFormValue("token")) {
	case right:
		http.SetCookie(w, g.sessions.begin())
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case wrong:
		show(w, http.StatusUnauthorized, "That is not the token.")
	default:
		tooMany(w)
		show(w, http.StatusTooManyRequests, tooManyText)
	}
}

// show shows the form and what was wrong, empty for nothing. The two places of
// the form are filled without html/template, which would have the linker keep
// every exported method of the program.
func show(w http.ResponseWriter, status int, problem string) {
	invalid, told := "", ""
	if problem != "" {
		invalid = ` aria-invalid="true" aria-describedby="problem"`
		told = "\n    <p id=\"problem\" role=\"alert\">" + html.EscapeString(problem) + "</p>"
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	strings.NewReplacer("[invalid]", invalid, "[problem]", told).WriteString(w, form) // fails only if nobody reads it any more
}

func tooMany(w http.ResponseWriter) {
	w.Header().Set("Retry-After", strconv.Itoa(int(failuresLast.Seconds())))
}
