package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// configuration fronts the server. The server sees the clients' own
// addresses, as it does behind the kernel helper. The promises must outlive
// the filling of the largest cell.
const configuration = `listeners:
  - {name: bench, listen: "203.0.113.1:21", server: "198.18.1.20:21", source: client%s}
data: {path: %s, passive_ports: 20000-59999, active_ports: 60000-60999, pinhole_timeout: 5m}
limits: {sessions: 10000, sessions_per_client: 10000, promises_per_client: 40000}
admin: {socket: %s}
`

// build compiles the gateway.
func build(ctx context.Context, binary string) error {
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, "ftpalg/cmd/ftpalg")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build the gateway: %w: %s", err, out)
	}
	return nil
}

// ftpalg is the gateway with one of its data paths, on a strict edge.
func ftpalg(name, binary, path string) subject {
	return subject{
		name:    name,
		absent:  func(ctx context.Context) error { return refused(ctx, binary, path) },
		install: func(st *stand) error { return gateway(st, binary, fmt.Sprintf(configuration, "", path, st.socket())) },
		lacks:   everything,
	}
}

// secureFTPALG is the gateway as the end of its clients' TLS.
func secureFTPALG(name, binary string) subject {
	return subject{
		name:   name,
		ftps:   true,
		absent: func(ctx context.Context) error { return refused(ctx, binary, "relay") },
		install: func(st *stand) error {
			cert, key, err := st.pair()
			if err != nil {
				return err
			}
			tls := fmt.Sprintf(", tls: {mode: require, certificate: %s, key: %s}", cert, key)
			return gateway(st, binary, fmt.Sprintf(configuration, tls, "relay", st.socket()))
		},
		lacks: everything,
	}
}

// refused returns what `check` has against the data path.
func refused(ctx context.Context, binary, path string) error {
	dir, err := os.MkdirTemp("", prefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // a leftover harms nobody
	file := filepath.Join(dir, "ftpalg.yaml")
	text := fmt.Sprintf(configuration, "", path, filepath.Join(dir, "admin.sock"))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, binary, "check", "--config", file).CombinedOutput()
	if err != nil {
		return errors.New(strings.TrimSpace(strings.ReplaceAll(string(out), file+":", "")))
	}
	return nil
}

func gateway(st *stand, binary, text string) error {
	if err := st.Gateway.Strict(); err != nil {
		return err
	}
	file, err := st.file("ftpalg.yaml", text)
	if err != nil {
		return err
	}
	said, err := st.start(binary, "run", "--config", file)
	if err != nil {
		return err
	}
	err = st.await(func() error {
		return exec.CommandContext(st.ctx, binary, "status", "--socket", st.socket()).Run()
	})
	if err != nil {
		words, _ := os.ReadFile(said) // only to explain err
		return fmt.Errorf("the gateway is not ready: %w: %s", err, words)
	}
	return nil
}
