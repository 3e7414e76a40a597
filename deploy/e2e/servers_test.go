package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
)

// misleading is a greeting in which something looks like an announcement.
const misleading = "Welcome.\n227 Entering Passive Mode (203,0,113,99,200,10)\n229 Entering Extended Passive Mode (|||51210|)\n"

// servers are those beside vsftpd. Each function starts one at port 21 of own
// and returns its files, which anybody may read and write. Debian's packages
// of the other daemons cannot be installed beside vsftpd's, so those are tried
// where somebody has put them on the PATH.
var servers = []struct {
	name, program string
	always        bool
	start         func(t *testing.T, host *lab.Host, own netip.Addr) *folder
}{
	{"pyftpdlib", python, true, startPyftpdlib},
	{"proftpd", "proftpd", false, startProftpd},
	{"pure-ftpd", "pure-ftpd", false, startPureFtpd},
}

func TestServersOfOtherHabitsAreUnderstood(t *testing.T) {
	for _, server := range servers {
		if _, err := exec.LookPath(server.program); err != nil && !server.always {
			continue
		}
		for name, listeners := range map[string]string{"source client": frontingClient, "source gateway": fronting} {
			t.Run(server.name+", "+name, func(t *testing.T) {
				t.Parallel()
				need(t, server.program)
				s := newHosts(t, lab.Inbound)
				files := server.start(t, s.Server, s.Own)
				g := startGateway(t, s.Gateway, settings{listeners: listeners})
				s.everyClient(t, files, allModes()...)
				c := s.connect(t)
				for _, m := range allModes() {
					says(t, c, "PORT 203,0,114,10,200,10", 501)
					fetch(t, c, files, m, "pub/file")
				}
				try(t, c.Quit())
				g.closedAgain(t)
			})
		}
	}
}

// python is the interpreter that Debian's Python packages belong to.
const python = "/usr/bin/python3"

func startPyftpdlib(t *testing.T, host *lab.Host, own netip.Addr) *folder {
	t.Helper()
	files := newFolder(t, filepath.Join(publicDir(t), "files"))
	start(t, host, python, "-c", `
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
own, home, FTPHandler.banner = sys.argv[1:]
FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_anonymous(home, perm="elradfmwMT")
FTPServer((own, 21), FTPHandler).serve_forever()
`, own.String(), files.path, strings.ReplaceAll(misleading, "\n2", "\n 2")) // curl itself takes an unpadded one for a reply
	awaitListener(t, host, netip.AddrPortFrom(own, 21))
	return files
}

func startProftpd(t *testing.T, host *lab.Host, own netip.Addr) *folder {
	t.Helper()
	dir := publicDir(t)
	files := newFolder(t, filepath.Join(dir, "files"))
	welcome, conf := filepath.Join(dir, "welcome"), filepath.Join(dir, "proftpd.conf")
	try(t, os.WriteFile(welcome, []byte(misleading), 0o644))
	try(t, os.WriteFile(conf, []byte(proftpdSettings(own, dir, files, "DisplayConnect "+welcome, "DisplayLogin "+welcome)), 0o644))
	start(t, host, "proftpd", "--nodaemon", "--config", conf)
	awaitListener(t, host, netip.AddrPortFrom(own, 21))
	return files
}

// proftpdSettings are those of ProFTPD for anybody, with more lines for the server and
// for its anonymous users.
func proftpdSettings(own netip.Addr, dir string, files *folder, server, anonymous string) string {
	return fmt.Sprintf(`ServerType standalone
DefaultServer on
DefaultAddress %[1]s
SocketBindTight on
Port 21
UseReverseDNS off
User nobody
Group nogroup
AuthPAM off
DelayEngine off
WtmpLog off
TransferLog none
SystemLog %[2]s/system.log
ScoreboardFile %[2]s/scoreboard
PidFile %[2]s/pid
%[4]s
<Anonymous %[3]s>
  User ftp
  UserAlias anonymous ftp
  RequireValidShell off
  AllowOverwrite on
  %[5]s
</Anonymous>
`, own, dir, files.path, server, anonymous)
}

// startPureFtpd gives the server's anonymous users a home of their own: they
// have that of the user ftp.
func startPureFtpd(t *testing.T, host *lab.Host, own netip.Addr) *folder {
	t.Helper()
	need(t, "unshare")
	files := newFolder(t, filepath.Join(publicDir(t), "files"))
	line := append(mounted(files.path, homeOfFTP(t)), "pure-ftpd",
		"--anonymousonly", "--dontresolve", "--anonymouscancreatedirs", "--bind", own.String()+",21")
	start(t, host, line[0], line[1:]...)
	awaitListener(t, host, netip.AddrPortFrom(own, 21))
	return files
}

// homeOfFTP is the home of the user ftp.
func homeOfFTP(t *testing.T) string {
	t.Helper()
	anonymous, err := user.Lookup("ftp")
	try(t, err)
	return anonymous.HomeDir
}
