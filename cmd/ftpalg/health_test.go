package main

import (
	"testing"

	"ftpalg/cmd/internal/api"
)

func TestUnhealthy(t *testing.T) {
	server := func(listener string, up bool) api.Server { return api.Server{Listener: listener, Up: up} }
	for name, c := range map[string]struct {
		status api.Status
		want   string
	}{
		"ready":                   {api.Status{Ready: true}, ""},
		"not ready":               {api.Status{Missing: []string{"it is starting", "more"}}, "it is starting; more"},
		"one of two servers":      {api.Status{Ready: true, Servers: []api.Server{server("a", false), server("a", true)}}, ""},
		"no server":               {api.Status{Ready: true, Servers: []api.Server{server("a", false), server("a", false), server("b", true)}}, "listener a: none of its servers works"},
		"no server of the second": {api.Status{Ready: true, Servers: []api.Server{server("a", true), server("b", false)}}, "listener b: none of its servers works"},
	} {
		if got := unhealthy(c.status); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
