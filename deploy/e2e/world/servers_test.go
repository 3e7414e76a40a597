package world

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// server is an FTP server program.
type server struct {
	name string
	// pkg is the Debian package that has it, empty where npm or Go has it.
	pkg string
	// program is what must be found before it can be used.
	program string
	// line returns the command that serves folder at port 21 of address to
	// anybody; dir is for its own files.
	line func(t *testing.T, address, folder, dir string) []string
}

// servers are all that are known, in the order of the table.
func servers() []server {
	return []server{
		{"vsftpd", "vsftpd", "vsftpd", vsftpd},
		{"ProFTPD", "proftpd-core", "proftpd", proftpd},
		{"pure-ftpd", "pure-ftpd", "pure-ftpd", pureFtpd},
		{"pyftpdlib", "", "python3", pyftpdlib},
		{"inetutils-ftpd", "inetutils-ftpd", "ftpd", inetutilsFtpd},
		{"bftpd", "bftpd", "bftpd", bftpd},
		{"ftp-srv", "", "node_modules/ftp-srv", ftpSrv},
		{"ftpserverlib", "", "goftp-server", ftpserverlib},
	}
}

func vsftpd(t *testing.T, address, folder, dir string) []string {
	listen := "listen=YES\nlisten_address=" + address
	if strings.Contains(address, ":") {
		listen = "listen_ipv6=YES\nlisten_address6=" + address
	}
	return []string{"vsftpd", write(t, dir, "vsftpd.conf", fmt.Sprintf(`background=NO
anonymous_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_umask=022
write_enable=YES
connect_from_port_20=YES
seccomp_sandbox=NO
isolate_network=NO
max_clients=0
max_per_ip=0
pasv_min_port=20000
pasv_max_port=29999
anon_root=%s
secure_chroot_dir=%s
%s
`, folder, mkdir(t, dir, "empty"), listen))}
}

func proftpd(t *testing.T, address, folder, dir string) []string {
	return []string{"proftpd", "--nodaemon", "--config", write(t, dir, "proftpd.conf", fmt.Sprintf(`ServerType standalone
DefaultServer on
DefaultAddress %s
SocketBindTight on
Port 21
UseReverseDNS off
User nobody
Group nogroup
AuthPAM off
DelayEngine off
WtmpLog off
TransferLog none
SystemLog %[3]s/system.log
ScoreboardFile %[3]s/scoreboard
PidFile %[3]s/pid
AllowStoreRestart on
<Anonymous %[2]s>
  User ftp
  UserAlias anonymous ftp
  RequireValidShell off
  AllowOverwrite on
  AllowStoreRestart on
</Anonymous>
`, address, folder, dir))}
}

// pureFtpd serves the home of the user ftp, so the folder is mounted there.
func pureFtpd(t *testing.T, address, folder, _ string) []string {
	return []string{"unshare", "--mount", "sh", "-c", `mount --bind "$1" "$(getent passwd ftp | cut -d: -f6)" && shift && exec "$@"`, "sh", folder,
		"pure-ftpd", "--anonymousonly", "--dontresolve", "--anonymouscancreatedirs", "--bind", address + ",21"}
}

func pyftpdlib(t *testing.T, address, folder, _ string) []string {
	return []string{"/usr/bin/python3", "-c", `
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_anonymous(sys.argv[2], perm="elradfmwMT")
FTPServer((sys.argv[1], 21), FTPHandler).serve_forever()
`, address, folder}
}

// inetutilsFtpd serves the home of the user ftp to anonymous users. It is
// started for each connection, as inetd does. It looks up the name of each
// client, and would wait ten seconds for a name server that the lab has not: as
// long as some clients wait at all.
func inetutilsFtpd(t *testing.T, address, folder, dir string) []string {
	names := write(t, dir, "nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
	home := pureFtpd(t, address, folder, dir)[:7]
	if err := os.Chmod(names, 0o644); err != nil { // it is read as the user ftp, too
		t.Fatal(err)
	}
	home[4] = `mount --bind "` + names + `" /etc/nsswitch.conf && ` + home[4]
	return append(home, "/usr/bin/python3", "-c", `
import os, socket, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], 21)); s.listen(64)
while True:
    c, _ = s.accept()
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for fd in 0, 1, 2: os.dup2(c.fileno(), fd)
        os.execvp("ftpd", ["ftpd", "-A", "-u", "022"])
    c.close()
`, address)
}

func bftpd(t *testing.T, address, folder, dir string) []string {
	return []string{"bftpd", "-D", "-c", write(t, dir, "bftpd.conf", fmt.Sprintf(`global{
  PORT="21"
  BIND_TO_ADDR="%s"
  PASSIVE_PORTS="20000-29999"
  ALLOWCOMMAND_DELE="yes"
  ROOTDIR="%s"
  LOGFILE="%s/log"
  UTMP="/dev/null"
  ANONYMOUS_USER="yes"
}
user ftp { ANONYMOUS_USER="yes" }
`, address, folder, dir))}
}

func ftpSrv(t *testing.T, address, folder, _ string) []string {
	data, err := filepath.Abs("testdata/ftp-srv.js") // the server runs as root
	if err != nil {
		t.Fatal(err)
	}
	return []string{"sh", "-c", `NODE_PATH="$UNPACKED/../node_modules" exec node "$@"`, "sh", data, address, folder}
}

func ftpserverlib(_ *testing.T, address, folder, _ string) []string {
	return []string{"goftp-server", address, folder}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mkdir(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
