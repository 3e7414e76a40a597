package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// clientTimeout bounds one run of a client program.
const clientTimeout = 40 * time.Second

// curlMode holds curl's options for each way to a data connection.
func curlMode(m ftp.Mode) []string {
	switch m {
	case ftp.PASV:
		return []string{"--disable-epsv"}
	case ftp.EPSV:
		return []string{"--ftp-pasv"}
	case ftp.PORT:
		return []string{"--ftp-port", "-", "--disable-eprt"}
	}
	return []string{"--ftp-port", "-"}
}

// run runs a client program on a host and returns what it printed.
func run(t *testing.T, host *lab.Host, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clientTimeout)
	defer cancel()
	out, err := host.Command(ctx, name, args...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

func (s *scene) curl(t *testing.T, m ftp.Mode, args ...string) (string, error) {
	t.Helper()
	return run(t, s.Client, "curl", append(append([]string{"-sS", "-m", "30"}, curlMode(m)...), args...)...)
}

// url returns the URL of a path on the server as the client knows it.
func (s *scene) url(path string) string { return "ftp://" + urlHost(s.Contact) + "/" + path }

func urlHost(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// lftp runs a script of lftp's, connected and in one of the two modes.
func (s *scene) lftp(t *testing.T, passive bool, script string) (string, error) {
	t.Helper()
	mode := map[bool]string{true: "on", false: "off"}[passive]
	return run(t, s.Client, "lftp", "-c", "set ftp:passive-mode "+mode+
		"; set net:timeout 8; set net:max-retries 1; open "+s.url("")+"; "+script)
}

// everyClient moves files down and up and lists a folder with each client in
// each of the modes.
func (s *scene) everyClient(t *testing.T, files *folder, modes ...ftp.Mode) {
	t.Helper()
	need(t, "curl", "lftp", "tnftp")
	for _, m := range modes {
		t.Run("curl "+string(m), func(t *testing.T) { s.tryCurl(t, files, m) })
	}
	for _, passive := range []bool{true, false} {
		if able(modes, passive) {
			t.Run(fmt.Sprintf("lftp passive %v", passive), func(t *testing.T) { s.tryLftp(t, files, passive) })
		}
	}
	if able(modes, true) {
		t.Run("tnftp passive", func(t *testing.T) { s.tryTnftp(t, files) })
	}
	if able(modes, false) {
		t.Run("tnftp active", func(t *testing.T) { s.tryTnftp(t, files, "-A") })
	}
}

func able(modes []ftp.Mode, passive bool) bool {
	for _, m := range modes {
		if (m == ftp.PASV || m == ftp.EPSV) == passive {
			return true
		}
	}
	return false
}

func (s *scene) tryCurl(t *testing.T, files *folder, m ftp.Mode) {
	s.arrives(t, files, func(got string) error {
		_, err := s.curl(t, m, s.url("pub/file"), "-o", got)
		return err
	})
	s.lands(t, files, "c"+string(m), func(name string) error {
		_, err := s.curl(t, m, "-T", files.name("pub/file"), s.url(name))
		return err
	})
	list, err := s.curl(t, m, s.url("pub/"))
	if err != nil || !strings.Contains(list, " file\n") && !strings.Contains(list, " file\r\n") {
		t.Errorf("list: %q, %v", list, err)
	}
}

func (s *scene) tryLftp(t *testing.T, files *folder, passive bool) {
	s.arrives(t, files, func(got string) error {
		_, err := s.lftp(t, passive, "get pub/file -o "+got)
		return err
	})
	s.lands(t, files, fmt.Sprintf("l%v", passive), func(name string) error {
		_, err := s.lftp(t, passive, "put "+files.name("pub/file")+" -o "+name)
		return err
	})
}

func (s *scene) tryTnftp(t *testing.T, files *folder, options ...string) {
	s.arrives(t, files, func(got string) error {
		_, err := run(t, s.Client, "tnftp", append(options, "-V", "-o", got, s.url("pub/file"))...)
		return err
	})
}

// arrives holds that a download of pub/file into a file of the client comes
// whole.
func (s *scene) arrives(t *testing.T, files *folder, download func(got string) error) {
	t.Helper()
	got := filepath.Join(s.dir, "got")
	defer os.Remove(got)
	if err := download(got); err != nil {
		t.Errorf("down: %v", err)
		return
	}
	if err := differs(got, files.name("pub/file")); err != nil {
		t.Errorf("down: %v", err)
	}
}

// lands holds that an upload of pub/file to a new name in up comes whole.
func (s *scene) lands(t *testing.T, files *folder, name string, upload func(name string) error) {
	t.Helper()
	if err := upload("up/" + name); err != nil {
		t.Errorf("up: %v", err)
		return
	}
	if err := differs(files.name("up/"+name), files.name("pub/file")); err != nil {
		t.Errorf("up: %v", err)
	}
}

// fetch downloads a file in an open session and compares it.
func fetch(t *testing.T, c *ftp.Client, files *folder, m ftp.Mode, name string) ftp.Transfer {
	t.Helper()
	var got bytes.Buffer
	transfer, err := c.Retrieve(m, name, &got)
	if err != nil {
		t.Fatalf("%s %s: %v", m, name, err)
	}
	same(t, files, name, got.Bytes())
	return transfer
}

// same compares bytes with a file of the server.
func same(t *testing.T, files *folder, name string, got []byte) {
	t.Helper()
	want, err := os.ReadFile(files.name(name))
	try(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes with checksum %x, want %d with %x", name, len(got), sha256.Sum256(got), len(want), sha256.Sum256(want))
	}
}

// says sends a line and wants a reply with this code.
func says(t *testing.T, c *ftp.Client, line string, code int) ftp.Reply {
	t.Helper()
	reply, err := c.Cmd(line)
	if err != nil || reply.Code != code {
		t.Fatalf("%q: %v, %v; want %d", line, reply.Lines, err, code)
	}
	return reply
}
