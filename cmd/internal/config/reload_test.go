package config_test

import (
	"slices"
	"testing"

	"ftpalg/cmd/internal/config"
)

func TestNeedsRestartNamesWhatAReloadCannotChange(t *testing.T) {
	for _, c := range []struct {
		name, change string
		want         []string
	}{
		{"nothing", "", nil},
		{"what a reload changes", "limits: {sessions: 200}\nlog: {level: debug}\ndata: {pinhole_timeout: 5s}\nnat: [{local: 203.0.113.1, public: 192.0.2.1}]\n", nil},
		{"data.path", "data: {path: iptables}\n", []string{"data.path"}},
		{"tokens", "admin: {token: 6f1c0e5b9a7d4832}\n", []string{"admin.token"}},
		{"token files", "admin: {token_file: /etc/ftpalg/token}\n", []string{"admin.token_file"}},
		{"admin", "admin: {socket: /tmp/s, http: 127.0.0.1:9121, pprof: true}\n", []string{"admin.socket", "admin.http", "admin.pprof"}},
		{"netfilter", "netfilter: {mark: 1, route_table: 7, rule_priority: 8}\n",
			[]string{"netfilter.mark", "netfilter.route_table", "netfilter.rule_priority"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			old, new := parse(t, minimal), parse(t, minimal+c.change)
			if got := config.NeedsRestart(old, new); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
