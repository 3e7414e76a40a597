package world

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/labtest"
)

// refusalListeners make the gateway refuse: one server is not there, one
// client may have one session, one data port is taken, TLS is not allowed.
const refusalConfig = `listeners:
  - {name: gone, listen: "203.0.113.1:2101", server: "198.18.1.20:2121"}
  - {name: full, listen: "203.0.113.1:2102", server: "198.18.1.20:21"}
  - {name: clear, listen: "203.0.113.1:2103", server: "198.18.1.20:21", tls: refuse}
data: {passive_ports: 50000-50000}
limits: {sessions_per_client: %d}
admin: {socket: %q}
log: {level: debug, format: text}
`

// refusal is something that the gateway answers itself, and how a client is
// made to hear it.
type refusal struct {
	name string
	// perClient is limits.sessions_per_client, port the listener's.
	perClient int
	port      string
	// occupies is what another client holds meanwhile, in lines that it says.
	occupies []string
	// says is, for each client, a command and what its user then reads.
	says map[string]says
}

type says struct{ command, phrase string }

// endsWell reports whether a client's exit status is 0 after a refusal: tnftp
// and inetutils-ftp read commands from a pipe and end with its end, and QUOTE
// only shows its reply.
func (s says) endsWell(client string) bool {
	return client == "tnftp" || client == "inetutils-ftp" || strings.Contains(s.command, "quote")
}

// Commands of the clients; %[1]s is the port.
const (
	curlGet   = `curl -sS -m 15 -o got ftp://203.0.113.1:%[1]s/pub/file`
	lftpGet   = `timeout 15 lftp -c "set net:max-retries 1; set net:timeout 5; open -u anonymous,a@b ftp://203.0.113.1:%[1]s; get pub/file -o got"`
	tnftpGet  = `printf "open 203.0.113.1 %[1]s\nuser anonymous a@b\nget pub/file got\nquit\n" | timeout 15 tnftp -n -v`
	wgetGet   = `wget -nv -T 5 -t 1 -O got ftp://203.0.113.1:%[1]s/pub/file`
	ftplibGet = `timeout 15 python3 -c 'from ftplib import FTP
f = FTP(timeout=10); f.connect("203.0.113.1", %[1]s); f.login(); f.retrbinary("RETR pub/file", lambda b: None)'`
	ncftpGet     = `timeout 20 ncftpget -V -F -t 10 -r 1 -P %[1]s -c 203.0.113.1 pub/file >got`
	inetutilsGet = `printf "open 203.0.113.1 %[1]s\nuser anonymous a@b\npassive\nget pub/file got\nquit\n" | timeout 15 inetutils-ftp -n -v`
	perlGet      = `timeout 15 perl -MNet::FTP -e 'my $f = Net::FTP->new("203.0.113.1", Port => %[1]s, Timeout => 10, Passive => 1) or die $@;
$f->login("anonymous", "a@b") or die $f->message; $f->get("pub/file", "got") or die $f->message;'`
	phpGet = `timeout 20 php8.2 -n -d display_errors=1 -d extension_dir="$(dirname $UNPACKED/usr/lib/php/*/ftp.so)" -d extension=ftp -r '
function no($what) { echo "$what returned false\n"; exit(1); }
$f = ftp_connect("203.0.113.1", %[1]s, 10) or no("ftp_connect"); ftp_login($f, "anonymous", "a@b") or no("ftp_login");
ftp_pasv($f, true) or no("ftp_pasv"); ftp_get($f, "got", "pub/file") or no("ftp_get");'`
	busyboxGet  = `timeout 15 busybox ftpget -P %[1]s 203.0.113.1 got pub/file`
	rcloneGet   = `RCLONE_CONFIG= timeout 20 rclone --retries 1 --low-level-retries 1 --ftp-host 203.0.113.1 --ftp-port %[1]s --ftp-user anonymous --ftp-pass "$(rclone obscure a@b)" copyto :ftp:pub/file got`
	ariaGet     = `timeout 20 aria2c --no-conf --file-allocation=none --max-tries=1 -o got ftp://203.0.113.1:%[1]s/pub/file`
	basicFTPGet = `NODE_PATH="$UNPACKED/../node_modules" timeout 20 node -e '
const f = new (require("basic-ftp").Client)(10000); f.access({host: "203.0.113.1", port: %[1]s}).then(() => f.downloadTo("got", "pub/file")).catch(e => { console.log(String(e)); process.exit(1) }).finally(() => f.close())'`
	goFTPGet = `timeout 20 goftp-client 203.0.113.1:%[1]s EPSV get pub/file got`
)

func refusals() []refusal {
	const (
		unreachable = "421 The FTP server cannot be reached: connection refused."
		tooMany     = "421 Too many sessions from your address, try again later."
		noPort      = "425 No data port is free, try again later."
		noTLS       = "534 Encryption is not allowed here."
	)
	// curl takes every 421 for the server's timeout; wget, ncftp, PHP and aria2
	// show no reply.
	return []refusal{
		{"421, the server cannot be reached", 10, "2101", nil, map[string]says{
			"curl": {curlGet, "(28) Timeout was reached"}, "lftp": {lftpGet, unreachable}, "tnftp": {tnftpGet, unreachable},
			"wget": {wgetGet, "Error in server response."}, "Python ftplib": {ftplibGet, unreachable},
			"ncftp":           {ncftpGet, "Server hungup immediately after connect."},
			"inetutils-ftp":   {inetutilsGet, unreachable},
			"Perl Net::FTP":   {perlGet, "The FTP server cannot be reached: connection refused."},
			"PHP ftp":         {phpGet, "ftp_connect returned false"},
			"busybox":         {busyboxGet, unreachable},
			"rclone":          {rcloneGet, unreachable},
			"aria2":           {ariaGet, "Download aborted."},
			"Node basic-ftp":  {basicFTPGet, unreachable},
			"Go jlaffaye/ftp": {goFTPGet, `421 "The FTP server cannot be reached: connection refused."`},
		}},
		{"421, too many sessions from the client's address", 1, "2102", []string{"USER anonymous"}, map[string]says{
			"curl": {curlGet, "(28) Timeout was reached"}, "lftp": {lftpGet, tooMany}, "tnftp": {tnftpGet, tooMany},
			"wget": {wgetGet, "Error in server response."}, "Python ftplib": {ftplibGet, tooMany},
			"ncftp":           {ncftpGet, "Server hungup immediately after connect."},
			"inetutils-ftp":   {inetutilsGet, tooMany},
			"Perl Net::FTP":   {perlGet, "Too many sessions from your address, try again later."},
			"PHP ftp":         {phpGet, "ftp_connect returned false"},
			"busybox":         {busyboxGet, tooMany},
			"rclone":          {rcloneGet, tooMany},
			"aria2":           {ariaGet, "Download aborted."},
			"Node basic-ftp":  {basicFTPGet, tooMany},
			"Go jlaffaye/ftp": {goFTPGet, `421 "Too many sessions from your address, try again later."`},
		}},
		{"425, no data port is free", 10, "2102", []string{"USER anonymous", "PASS a@b", "PASV"}, map[string]says{
			"curl": {curlGet, "(13) Bad PASV/EPSV response: 425"}, "lftp": {lftpGet, noPort}, "tnftp": {tnftpGet, noPort},
			"wget": {wgetGet, "Cannot initiate PASV transfer."}, "Python ftplib": {ftplibGet, noPort},
			"ncftp":           {ncftpGet, "Passive mode refused."},
			"inetutils-ftp":   {inetutilsGet, noPort},
			"Perl Net::FTP":   {perlGet, "No data port is free, try again later."},
			"PHP ftp":         {phpGet, "ftp_pasv returned false"},
			"busybox":         {busyboxGet, noPort},
			"rclone":          {rcloneGet, noPort},
			"aria2":           {ariaGet, "errorCode=21 The response status is not successful. status=425"},
			"Node basic-ftp":  {basicFTPGet, noPort},
			"Go jlaffaye/ftp": {goFTPGet, `425 "No data port is free, try again later."`},
		}},
		{"534, encryption is not allowed", 10, "2103", nil, map[string]says{
			"curl": {strings.Replace(curlGet, "-sS", "-sS --ssl-reqd", 1), "(64) Requested SSL level failed"},
			"lftp": {strings.Replace(lftpGet, "set net:timeout", "set ftp:ssl-force yes; set net:timeout", 1),
				"ftp:ssl-force is set and server does not support or allow SSL"},
			"Python ftplib": {strings.Replace(strings.Replace(ftplibGet, "import FTP", "import FTP_TLS", 1), "FTP(timeout", "FTP_TLS(timeout", 1), noTLS},
		}},
		{"501, PORT to another host", 10, "2102", nil, map[string]says{
			"Python ftplib": {strings.Replace(ftplibGet, "f.login();", `f.login(); f.sendport("203.0.113.99", 5000);`, 1), "501 PORT to another host is refused."},
			"tnftp":         {`printf "open 203.0.113.1 %[1]s\nuser anonymous a@b\nquote PORT 203,0,113,99,19,136\nquit\n" | timeout 15 tnftp -n -v`, "501 PORT to another host is refused."},
			"lftp":          {strings.Replace(lftpGet, "get pub/file -o got", "quote PORT 203,0,113,99,19,136", 1), "501 PORT to another host is refused."},
		}},
	}
}

// refusalsTable is the same for operators.
func refusalsTable(b *strings.Builder) {
	b.WriteString("\n## What clients say when the gateway refuses\n\n| the gateway's reply | client | its user reads |\n|---|---|---|\n")
	for _, r := range refusals() {
		for _, name := range slices.Sorted(maps.Keys(r.says)) {
			fmt.Fprintf(b, "| %s | %s | `%s` |\n", r.name, name, r.says[name].phrase)
		}
	}
}

// TestRefusalsReachTheUser holds what each client tells its user when the
// gateway refuses something.
func TestRefusalsReachTheUser(t *testing.T) {
	w := newWorld(t)
	w.folder(t, "refusals")
	for _, r := range refusals() {
		t.Run(r.name, func(t *testing.T) {
			p := &place{setting{name: r.name}, labtest.New(t, lab.Inbound)}
			check(t, p.Gateway.Strict())
			w.startRefusing(t, p, r)
			for name, s := range r.says {
				if !w.plays(name) {
					continue
				}
				t.Run(name, func(t *testing.T) {
					c := p.Client.Command(context.WithoutCancel(t.Context()), "bash", "-c", "cd "+t.TempDir()+"\n"+fmt.Sprintf(s.command, r.port))
					c.Env = append(append(os.Environ(), w.unpacked.Environment()...), "LC_ALL=C.UTF-8")
					out, err := c.CombinedOutput()
					text := strings.Join(strings.Fields(string(out)), " ")
					if !strings.Contains(text, s.phrase) {
						t.Errorf("it said %q, %v; want %q", text, err, s.phrase)
					}
					if err == nil && !s.endsWell(name) {
						t.Errorf("its exit status is 0; it said %q", text)
					}
				})
			}
		})
	}
}

// plays reports whether a client takes part.
func (w *world) plays(name string) bool {
	return slices.ContainsFunc(w.clients, func(c client) bool { return c.name == name })
}

// startRefusing starts a server and a gateway, and a client that occupies what
// there is.
func (w *world) startRefusing(t *testing.T, p *place, r refusal) {
	folder := filepath.Join(w.dir, "refusals")
	line := vsftpd(t, "198.18.1.20", folder, t.TempDir())
	check(t, p.Server.Command(context.WithoutCancel(t.Context()), line[0], line[1:]...).Start())
	await(t, "the server listens", func() error {
		c, err := p.Server.Dial(t.Context(), "tcp", "", "198.18.1.20:21")
		if err == nil {
			c.Close()
		}
		return err
	})
	dir := t.TempDir()
	socket := filepath.Join(dir, "admin.sock")
	config := write(t, dir, "ftpalg.yaml", fmt.Sprintf(refusalConfig, r.perClient, socket))
	g := p.Gateway.Command(context.WithoutCancel(t.Context()), w.program, "run", "--config", config)
	g.Stderr = os.Stderr
	check(t, g.Start())
	await(t, "the gateway is ready", func() error { return exec.Command(w.program, "status", "--socket", socket).Run() })
	if len(r.occupies) == 0 {
		return
	}
	other, err := p.Client.Dial(t.Context(), "tcp", "", "203.0.113.1:"+r.port)
	check(t, err)
	t.Cleanup(func() { other.Close() })
	other.SetDeadline(time.Now().Add(20 * time.Second))
	reply := make([]byte, 512)
	for _, l := range append([]string{""}, r.occupies...) {
		if l != "" {
			fmt.Fprintf(other, "%s\r\n", l)
		}
		_, err := other.Read(reply)
		check(t, err)
	}
}
