// Package check renders the Helm chart with Helm's own engine, and reads what
// comes out into the types of Kubernetes. It is a module of its own, so that the
// gateway needs none of what Helm needs.
package check

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

const folder = "../ftpalg"

func load(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render returns the manifests by the names of their templates.
func render(c *chart.Chart, values map[string]any) (map[string]string, error) {
	merged, err := chartutil.ToRenderValues(c, values, chartutil.ReleaseOptions{Name: "edge1", Namespace: "ftp"}, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, merged)
	out := make(map[string]string)
	for name, text := range files {
		if strings.TrimSpace(text) != "" && strings.HasSuffix(name, ".yaml") {
			out[filepath.Base(name)] = text
		}
	}
	return out, err
}

func manifests(t *testing.T, values map[string]any) map[string]string {
	t.Helper()
	out, err := render(load(t), values)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// read reads a manifest; a field that the type does not have is an error.
func read[T any](t *testing.T, text, kind string) (out T) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), &out); err != nil {
		t.Fatalf("%s: %v\n%s", kind, err, text)
	}
	if !strings.Contains(text, "\nkind: "+kind+"\n") {
		t.Fatalf("no %s:\n%s", kind, text)
	}
	return out
}

func TestGateway(t *testing.T) {
	m := manifests(t, nil)
	if len(m) != 4 {
		t.Errorf("rendered %d manifests: %v", len(m), m)
	}
	d := read[apps.Deployment](t, m["deployment.yaml"], "Deployment")
	checkPod(t, d.Spec.Template, d.Spec.Selector.MatchLabels, false)
	if *d.Spec.Replicas != 1 || d.Spec.Strategy.Type != apps.RecreateDeploymentStrategyType {
		t.Errorf("%d replicas by %s", *d.Spec.Replicas, d.Spec.Strategy.Type)
	}
	s := read[core.Service](t, m["service.yaml"], "Service")
	if len(s.Spec.Ports) != 51 || s.Spec.Ports[0].Port != 21 || s.Spec.Ports[1].Port != 50000 || s.Spec.Ports[50].Port != 50049 {
		t.Errorf("the Service has the ports %+v", s.Spec.Ports)
	}
	p := read[networking.NetworkPolicy](t, m["networkpolicy.yaml"], "NetworkPolicy")
	if len(p.Spec.Ingress) != 2 || *p.Spec.Ingress[0].Ports[1].EndPort != 50049 || len(p.Spec.Egress) != 2 {
		t.Errorf("the policy is %+v", p.Spec)
	}
	for _, selector := range []map[string]string{s.Spec.Selector, p.Spec.PodSelector.MatchLabels} {
		for k, v := range selector {
			if d.Spec.Template.Labels[k] != v {
				t.Errorf("%s: %s selects no pod", k, v)
			}
		}
	}
}

func TestEdge(t *testing.T) {
	const own = "listeners:\n  - {name: crossing, transparent: {interface: eth0}}\n"
	m := manifests(t, map[string]any{"kind": "edge", "config": map[string]any{"listeners.yaml": nil, "10-own.yaml": own}, "nodeSelector": map[string]any{"role": "edge"}})
	if len(m) != 2 {
		t.Errorf("rendered %d manifests: %v", len(m), m)
	}
	d := read[apps.DaemonSet](t, m["daemonset.yaml"], "DaemonSet")
	checkPod(t, d.Spec.Template, d.Spec.Selector.MatchLabels, true)
	if d.Spec.Template.Spec.NodeSelector["role"] != "edge" {
		t.Errorf("it runs on %v", d.Spec.Template.Spec.NodeSelector)
	}
	c := read[core.ConfigMap](t, m["configmap.yaml"], "ConfigMap")
	if c.Data["10-own.yaml"] != own {
		t.Errorf("the configuration is %q", c.Data)
	}
}

// checkPod checks what both kinds have in common.
func checkPod(t *testing.T, pod core.PodTemplateSpec, selector map[string]string, host bool) {
	t.Helper()
	c := pod.Spec.Containers[0]
	s := c.SecurityContext
	compose, err := os.ReadFile("../../container/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var caps []string
	for _, one := range s.Capabilities.Add {
		caps = append(caps, string(one))
	}
	switch {
	case pod.Spec.HostNetwork != host:
		t.Errorf("hostNetwork is %v", pod.Spec.HostNetwork)
	case *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}):
		t.Errorf("the security context is %+v", s)
	case !strings.Contains(string(compose), "cap_add: ["+strings.Join(caps, ", ")+"]"):
		t.Errorf("the capabilities %v are not those of compose.yaml", caps)
	case c.LivenessProbe == nil || c.ReadinessProbe == nil || c.ReadinessProbe.Exec.Command[1] != "health" || c.StartupProbe == nil:
		t.Errorf("probes: %+v, %+v", c.LivenessProbe, c.ReadinessProbe)
	case !slices.Contains(c.Args, "--watch") || c.VolumeMounts[0].MountPath != "/etc/ftpalg":
		t.Errorf("it runs %v", c.Args)
	case c.Image != "ftpalg:0.9.0":
		t.Errorf("the image is %s", c.Image)
	}
	for k, v := range selector {
		if pod.Labels[k] != v {
			t.Errorf("%s: %s selects no pod", k, v)
		}
	}
}

// What is wrong in the values is said before anything is installed.
func TestValuesAreChecked(t *testing.T) {
	for name, values := range map[string]map[string]any{
		"kind":     {"kind": "sidecar"},
		"a file":   {"config": map[string]any{"listeners.txt": "x"}},
		"a port":   {"passivePorts": map[string]any{"first": 21, "last": 50049}},
		"a range":  {"passivePorts": map[string]any{"first": 50049, "last": 50000}},
		"a key":    {"kindd": "edge"},
		"a policy": {"networkPolicy": map[string]any{"enabled": "yes"}},
	} {
		if _, err := render(load(t), values); err == nil {
			t.Errorf("%s: nothing is said", name)
		}
	}
}
