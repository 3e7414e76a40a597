package pairs

import (
	"slices"
	"testing"
	"testing/fstest"

	"ftpalg/cmd/internal/config"
)

func TestAFolderHasOnePairAName(t *testing.T) {
	files := fstest.MapFS{}
	for _, name := range []string{
		"b.crt", "b.key", "a.pem", "a.key", "c/fullchain.pem", "c/privkey.pem", "d/tls.crt", "d/tls.key", "default.pem", "default.key",
		".hidden.key", "readme", "empty/readme", "chain.pem",
	} {
		files["etc/names/"+name] = &fstest.MapFile{}
	}
	files["lib/acme/live/e.example.pem"] = &fstest.MapFile{}
	got, err := Of(&config.TLS{
		Certificates: []string{"/etc/own.pem"}, Keys: []string{"/etc/own.key"}, Folder: "/etc/names/",
		ACME: &config.ACME{Names: []string{"e.example", "f.example"}, Storage: "/lib/acme"},
	}, files)
	want := []Files{
		{"/etc/names/default.pem", "/etc/names/default.key"}, {"/etc/own.pem", "/etc/own.key"}, {"/lib/acme/live/e.example.pem", "/lib/acme/live/e.example.pem"},
		{"/etc/names/a.pem", "/etc/names/a.key"}, {"/etc/names/b.crt", "/etc/names/b.key"},
		{"/etc/names/c/fullchain.pem", "/etc/names/c/privkey.pem"}, {"/etc/names/d/tls.crt", "/etc/names/d/tls.key"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
	for _, folder := range []string{"/etc/names/empty", "/etc/none"} {
		if got, err := Of(&config.TLS{Folder: folder}, files); err == nil {
			t.Errorf("%s has %v", folder, got)
		}
	}
}
