package guard

import (
	"embed"
	"html/template"
	"net/http"
	"strconv"
)

//go:embed assets
var assets embed.FS

var form = template.Must(template.ParseFS(assets, "assets/login.html"))

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

func show(w http.ResponseWriter, status int, problem string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	form.Execute(w, problem) // fails only if nobody reads it any more
}

func tooMany(w http.ResponseWriter) {
	w.Header().Set("Retry-After", strconv.Itoa(int(failuresLast.Seconds())))
}
