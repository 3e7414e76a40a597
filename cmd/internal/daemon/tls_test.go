package daemon

import (
	"slices"
	"testing"

	"ftpalg/cmd/internal/api"
	"ftpalg/cmd/internal/config"
)

func TestAListenerWhoseCertificateHasYetToComeIsNamed(t *testing.T) {
	c := &config.Config{Listeners: []config.Listener{
		{Name: "asked", TLS: config.TLS{Mode: config.TLSRequire}},
		{Name: "has", TLS: config.TLS{Mode: config.TLSOffer}},
		{Name: "clear", TLS: config.TLS{Mode: config.TLSPass}},
	}}
	if got := withoutCertificate(c, []api.Certificate{{Listener: "has"}}); !slices.Equal(got, []string{"asked"}) {
		t.Errorf("without a certificate are %q", got)
	}
}
