package world

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"ftpalg/deploy/lab/debian"
	"time"

	"ftpalg/deploy/lab/labtest"
)

// full says that everything is to be run; the short form needs no program that
// is not installed.
func full() bool { return os.Getenv("FTPALG_WORLD") == "1" }

// shortSetting is the one that the short form compares with plain routing.
const shortSetting = "fronted, source gateway, conntrack"

// takesPart reports whether a setting is played.
func takesPart(s setting) bool {
	if !full() {
		return s.name == plain4 || s.name == shortSetting
	}
	return s.baseline == "" || strings.Contains(s.name, os.Getenv("FTPALG_WORLD_SETTINGS"))
}

// shortForm are the servers and clients of the short form.
var shortForm = []string{"vsftpd", "pyftpdlib", "curl", "lftp", "tnftp", "wget", "Python ftplib"}

// wanted reports whether a program takes part: in the full form all do, or
// those that a variable of the environment lists, with commas.
func wanted(variable, name string) bool {
	if !full() {
		return slices.Contains(shortForm, name)
	}
	list := os.Getenv(variable)
	return list == "" || slices.Contains(strings.Split(list, ","), name)
}

// partial says that not everything takes part, so that there is no table.
func partial() bool {
	return os.Getenv("FTPALG_WORLD_SERVERS")+os.Getenv("FTPALG_WORLD_CLIENTS") != ""
}

// Sizes of what the servers have, in bytes.
const (
	fileSize = 3_000_000
	bigSize  = 200_000_000
	manySize = 1_000
)

// world is what all settings share.
type world struct {
	dir, program string
	unpacked     *debian.Unpacked
	servers      []server
	clients      []client
	// absent are the programs that could not be had, and why.
	absent []string

	filling sync.Mutex // held while the files to be read are made
	mu      sync.Mutex
	results map[cell]string // what went wrong, empty for nothing
	// unsteady holds what went wrong at the first try and not at the second.
	unsteady map[cell]string
}

// cell is one step of a client in one mode with one server in one setting.
type cell struct{ setting, server, client, mode, step string }

func TestMatrix(t *testing.T) {
	w := newWorld(t)
	check(t, flag.Set("test.parallel", "3")) // they wait more than they compute
	t.Run("settings", func(t *testing.T) {
		for _, s := range settings() {
			if !takesPart(s) {
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				began := time.Now()
				w.play(t, s)
				t.Logf("took %s", time.Since(began).Round(time.Second))
			})
		}
	})
	w.judge(t)
}

func newWorld(t *testing.T) *world {
	if !full() && os.Getenv("FTPALG_E2E") != "1" {
		t.Skip("set FTPALG_E2E=1, or FTPALG_WORLD=1 for everything")
	}
	dir, err := os.MkdirTemp("", "ftpalg-world-")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	check(t, os.Chmod(dir, 0o755))
	_, err = debian.Output(".", "cp", "-r", "testdata", dir)
	check(t, err)
	w := &world{dir: dir, unpacked: debian.NewUnpacked(dir), results: map[cell]string{}, unsteady: map[cell]string{}}
	if w.program = os.Getenv("FTPALG_BINARY"); w.program == "" {
		w.program, err = labtest.Build(dir)
		check(t, err)
	}
	for _, s := range servers() {
		if wanted("FTPALG_WORLD_SERVERS", s.name) {
			if w.have(t, s.name, s.pkg, s.program) {
				w.servers = append(w.servers, s)
			}
		}
	}
	for _, c := range clients() {
		if wanted("FTPALG_WORLD_CLIENTS", c.name) {
			if w.have(t, c.name, c.pkg, c.program) {
				w.clients = append(w.clients, c)
			}
		}
	}
	return w
}

// have gets a program, and reports whether it is there. What the short form
// needs must be there.
func (w *world) have(t *testing.T, name, packages, program string) bool {
	t.Helper()
	if w.unpacked.Find(program) != "" {
		return true
	}
	if !full() {
		t.Fatalf("%s is missing", program)
	}
	err := w.get(packages, program)
	if err != nil || w.unpacked.Find(program) == "" && !strings.Contains(program, "/") {
		t.Logf("%s cannot be had: %v", name, err)
		w.absent = append(w.absent, name)
		return false
	}
	return true
}

func (w *world) get(packages, program string) error {
	switch {
	case strings.HasPrefix(program, "node_modules/"):
		_, err := debian.Output(w.dir, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", w.dir, filepath.Base(program))
		return err
	case strings.HasPrefix(program, "goftp-"):
		to := filepath.Join(w.dir, "root", "usr", "local", "bin", program)
		_, err := debian.Output("peers", "go", "build", "-buildvcs=false", "-o", to, "./"+strings.TrimPrefix(program, "goftp-"))
		return err
	}
	for _, pkg := range strings.Fields(packages) {
		if err := w.unpacked.Fetch(pkg); err != nil {
			return err
		}
	}
	return nil
}

// play runs every client with every server in one setting.
func (w *world) play(t *testing.T, s setting) {
	p := s.build(t, len(w.servers))
	if s.path != "" {
		w.startGateway(t, p)
	}
	var all sync.WaitGroup
	atOnce := make(chan struct{}, 5) // they wait more than they compute
	for i, srv := range w.servers {
		folder := w.folder(t, fmt.Sprintf("%s-%d", strings.NewReplacer(",", "", " ", "-").Replace(s.name), i))
		if !w.startServer(t, p, srv, i, folder) {
			continue
		}
		all.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			for _, c := range w.clients {
				w.playPair(t, p, i, srv, c, folder, &all)
			}
		})
	}
	all.Wait()
}

func (w *world) startGateway(t *testing.T, p *place) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "admin.sock")
	config := write(t, dir, "ftpalg.yaml", p.configuration(len(w.servers), socket))
	g := p.Gateway.Command(context.WithoutCancel(t.Context()), w.program, "run", "--config", config)
	log, err := os.Create(filepath.Join(dir, "log"))
	check(t, err)
	t.Cleanup(func() { log.Close() })
	g.Stdout, g.Stderr = log, log
	check(t, g.Start())
	await(t, "the gateway is ready", func() error {
		if err := exec.Command(w.program, "status", "--socket", socket).Run(); err != nil {
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("%w: %s", err, text)
		}
		return nil
	})
}

// startServer starts the i-th server and reports whether it listens: not every
// one can with IPv6.
func (w *world) startServer(t *testing.T, p *place, srv server, i int, folder string) bool {
	address := p.server(i).String()
	line := srv.line(t, address, folder, t.TempDir())
	c := p.Server.Command(context.WithoutCancel(t.Context()), line[0], line[1:]...)
	if found := w.unpacked.Find(line[0]); found != "" {
		c.Path, c.Err = found, nil
	}
	c.Env = append(os.Environ(), w.unpacked.Environment()...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	check(t, c.Start())
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		conn, err := p.Server.Dial(t.Context(), "tcp", "", p.serverPort(i))
		if err == nil {
			conn.Close()
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.note(cell{p.name, srv.name, "", "", "listen"}, "does not listen at "+address+": "+out.String())
	return false
}

func (p *place) serverPort(i int) string {
	if a := p.server(i); a.Is6() {
		return "[" + a.String() + "]:21"
	}
	return p.server(i).String() + ":21"
}

// playPair runs the steps of one client with one server; those that wait go on
// beside the next ones, and all counts them.
func (w *world) playPair(t *testing.T, p *place, i int, srv server, c client, folder string, all *sync.WaitGroup) {
	modes := slices.Sorted(maps.Keys(c.modes))
	for _, mode := range modes {
		shown := map[string]bool{}
		for _, st := range c.steps {
			if st.long && !(full() && p.thorough()) || slow(st) && mode != modes[0] {
				continue
			}
			here := cell{p.name, srv.name, c.name, mode, st.name}
			if why := reasonFor(here); p.baseline != "" && why != "" {
				if shown[why] {
					continue // one step shows it
				}
				shown[why] = true
			}
			run := func() {
				began := time.Now()
				w.try(here, func() string { return w.run(t, p, i, c.modes[mode], mode, st, folder) })
				if took := time.Since(began); took > slowStep && !idle(st) {
					t.Logf("%s, %s %s, %s took %s", srv.name, c.name, mode, st.name, took.Round(time.Second))
				}
			}
			if idle(st) { // beside the others, for it only waits
				all.Go(run)
				continue
			}
			run()
		}
	}
}

// slow reports whether a step is tried in one mode of its client only.
func slow(s step) bool {
	return strings.Contains(s.name, "200 MB") || strings.Contains(s.name, "hundred") || idle(s)
}

func idle(s step) bool { return strings.Contains(s.name, "idle") }

// slowStep is how long a step takes at most that is not worth a word.
const slowStep = 10 * time.Second

// stepTimeout bounds one step.
const stepTimeout = 300 * time.Second

// nobody is who runs the clients: not all are careful with files that they
// could not fill.
const nobody = 65534

// run does one step and returns what went wrong, empty for nothing.
func (w *world) run(t *testing.T, p *place, i int, how, mode string, st step, folder string) string {
	dir, err := os.MkdirTemp(w.dir, "step-")
	check(t, err)
	defer os.RemoveAll(dir)
	check(t, os.Chown(dir, nobody, nobody))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), stepTimeout)
	defer cancel()
	c := p.Client.Command(ctx, "setpriv", "--reuid", strconv.Itoa(nobody), "--regid", strconv.Itoa(nobody), "--clear-groups",
		"bash", "-euc", "set -o pipefail; cd \"$STEP\"\n"+st.script)
	host := p.contact(i)
	url, family := host.String(), "4"
	if host.Is6() {
		url, family = "["+url+"]", "6"
	}
	c.Env = append(append(os.Environ(), w.unpacked.Environment()...), "U="+url, "H="+host.String(), "M="+how, "MODE="+mode, "F="+folder,
		"SRC="+filepath.Join(w.dir, "src"), "N="+filepath.Base(dir), "DATA="+filepath.Join(w.dir, "testdata"), "STEP="+dir, "HOME="+dir, "FAMILY="+family, "LC_ALL=C.UTF-8")
	out, err := c.CombinedOutput()
	if err != nil {
		return strings.TrimSpace(fmt.Sprintf("%v: %s", err, out))
	}
	return ""
}

// try does a step, and once more if it goes wrong: some servers and clients
// lose a race now and then, by plain routing too. The table tells both.
func (w *world) try(c cell, run func() string) {
	first := run()
	if first == "" || reasonFor(c) != "" {
		w.note(c, first)
		return
	}
	second := run()
	w.note(c, second)
	if second == "" {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.unsteady[c] = first
	}
}

func (w *world) note(c cell, problem string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.results[c] = problem
}

// folder makes a server's files. Those to be read are the same for all.
func (w *world) folder(t *testing.T, name string) string {
	w.makePub(t)
	folder := mkdir(t, w.dir, name)
	_, err := debian.Output(w.dir, "cp", "-al", filepath.Join(w.dir, "pub"), folder)
	check(t, err)
	check(t, os.Chmod(mkdir(t, folder, "up"), 0o777))
	return folder
}

// makePub makes the files that all servers have, once.
func (w *world) makePub(t *testing.T) {
	w.filling.Lock()
	defer w.filling.Unlock()
	pub := filepath.Join(w.dir, "pub")
	if _, err := os.Stat(pub); err == nil {
		return
	}
	check(t, os.MkdirAll(filepath.Join(pub, "many"), 0o755))
	random(t, filepath.Join(w.dir, "src"), fileSize)
	random(t, filepath.Join(pub, "file"), fileSize)
	random(t, filepath.Join(pub, "big"), bigSize)
	for i := range 100 {
		random(t, filepath.Join(pub, "many", fmt.Sprintf("f%03d", i)), manySize)
	}
}

// random writes a file of bytes that do not compress.
func random(t *testing.T, path string, size int) {
	t.Helper()
	f, err := os.Create(path)
	check(t, err)
	r := rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%-32.32s", filepath.Base(path)))))
	block := make([]byte, 1<<20)
	for size > 0 {
		n := min(size, len(block))
		r.Read(block[:n])
		_, err := f.Write(block[:n])
		check(t, err)
		size -= n
	}
	check(t, f.Close())
}

func await(t *testing.T, what string, ok func() error) {
	t.Helper()
	var err error
	for range 400 {
		if err = ok(); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s: %v", what, err)
}
