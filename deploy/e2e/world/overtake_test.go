package world

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
)

// overtakeRounds is how many uploads are broken off in each setting.
const overtakeRounds = 200

// TestDataOvertakesControl measures a limit of every gateway that carries the
// control connection in a process and leaves the data to the kernel: an ABOR
// may come later than the end of the data that was sent behind it, and the
// server takes a broken upload for whole. The figures are logged, by plain
// routing and through the gateway; in each case the session goes on.
func TestDataOvertakesControl(t *testing.T) {
	if !full() {
		t.Skip("set FTPALG_WORLD=1")
	}
	w := newWorld(t)
	for _, s := range []setting{
		{name: plain4, topology: lab.Inbound},
		{"fronted, conntrack", plain4, lab.Inbound, "conntrack", settings()[2].listener},
	} {
		for _, srv := range w.servers {
			if srv.name != "vsftpd" && srv.name != "pyftpdlib" {
				continue
			}
			t.Run(s.name+" "+srv.name, func(t *testing.T) {
				one := &world{dir: w.dir, program: w.program, unpacked: w.unpacked, servers: []server{srv}, results: map[cell]string{}}
				p := s.build(t, 1)
				if s.path != "" {
					one.startGateway(t, p)
				}
				if !one.startServer(t, p, srv, 0, one.folder(t, strings.ReplaceAll(t.Name(), "/", "-"))) {
					t.Fatal("the server does not listen")
				}
				out, err := p.Client.Command(t.Context(), "python3", filepath.Join(w.dir, "testdata", "overtake.py"),
					p.contact(0).String(), strconv.Itoa(overtakeRounds)).CombinedOutput()
				var whole, rounds int
				if _, scanned := fmt.Sscan(string(out), &whole, &rounds); err != nil || scanned != nil || rounds != overtakeRounds {
					t.Fatalf("%v: %s", err, out)
				}
				t.Logf("%d of %d broken uploads were taken for whole", whole, rounds)
			})
		}
	}
}
