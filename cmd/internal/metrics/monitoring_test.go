package metrics

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// monitoring is what operators install for Prometheus and Grafana.
const monitoring = "../../../deploy/monitoring"

// series are the metrics of one name, as dashboards and alerts see them.
type series struct {
	counter bool
	labels  map[string][]string // with the values they can have
}

// known returns every series that a gateway has.
func known(t *testing.T) map[string]series {
	t.Helper()
	families, err := watched(withAll()).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]series{}
	for _, f := range families {
		s := series{labels: map[string][]string{}}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				s.labels[l.GetName()] = append(s.labels[l.GetName()], l.GetValue())
			}
		}
		switch f.GetType().String() {
		case "HISTOGRAM":
			s.counter, s.labels["le"] = true, []string{"0.25"}
			all[f.GetName()+"_bucket"], all[f.GetName()+"_count"], all[f.GetName()+"_sum"] = s, s, s
			continue
		case "COUNTER":
			s.counter = true
		}
		all[f.GetName()] = s
	}
	return all
}

// expressions returns the PromQL of the dashboard and of the alerts.
func expressions(t *testing.T) map[string][]string {
	t.Helper()
	alerts, err := os.ReadFile(filepath.Join(monitoring, "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(monitoring, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard any
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	return map[string][]string{"alerts.yaml": {string(alerts)}, "dashboard.json": stringsOf(dashboard, "expr", "query")}
}

// stringsOf collects the strings with one of these keys.
func stringsOf(v any, keys ...string) (all []string) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if s, ok := inner.(string); ok && slices.Contains(keys, k) {
				all = append(all, s)
			}
			all = append(all, stringsOf(inner, keys...)...)
		}
	case []any:
		for _, inner := range v {
			all = append(all, stringsOf(inner, keys...)...)
		}
	}
	return all
}

var (
	// selector is a function that may stand before, a name, and matchers.
	selector = regexp.MustCompile(`((?:rate|increase)\()?\b((?:ftpalg|process|go)_[a-z_]+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`(\w+)(=~|!=|=)"([^"]*)"`)
	// grouping is what a sum keeps or leaves away.
	grouping = regexp.MustCompile(`\b(?:by|without) \(([^)]*)\)`)
)

// added are the labels that Prometheus itself adds to what it scrapes.
var added = []string{"instance", "job"}

func TestDashboardAndAlertsUseWhatThereIs(t *testing.T) {
	all := known(t)
	labels := slices.Clone(added)
	for _, s := range all {
		for l := range s.labels {
			labels = append(labels, l)
		}
	}
	for file, exprs := range expressions(t) {
		found := 0
		for _, e := range exprs {
			for _, m := range selector.FindAllStringSubmatch(e, -1) {
				found++
				s, ok := all[m[2]]
				if !ok {
					t.Errorf("%s: there is no %s", file, m[2])
					continue
				}
				if rate := m[1] != ""; rate != s.counter && !strings.Contains(e, "label_values("+m[2]) {
					t.Errorf("%s: %s is a counter: %v, and a rate is taken: %v", file, m[2], s.counter, rate)
				}
				s.check(t, file, m[2], m[3])
			}
			for _, m := range grouping.FindAllStringSubmatch(e, -1) {
				for _, l := range strings.Split(m[1], ", ") {
					if !slices.Contains(labels, l) {
						t.Errorf("%s: no metric has the label %q", file, l)
					}
				}
			}
		}
		if found < 10 {
			t.Errorf("%s: only %d selectors were found", file, found)
		}
	}
}

// check holds the matchers of a selector against the labels that there are.
func (s series) check(t *testing.T, file, name, matchers string) {
	t.Helper()
	for _, m := range matcher.FindAllStringSubmatch(matchers, -1) {
		if slices.Contains(added, m[1]) {
			continue
		}
		for _, value := range strings.Split(m[3], "|") {
			if !slices.Contains(s.labels[m[1]], value) {
				t.Errorf("%s: %s has no %s=%q", file, name, m[1], value)
			}
		}
	}
}

// TestDashboardCanBeImported looks at what Grafana needs of a file that is
// imported: a stable uid, a data source to choose, panels of their own number.
func TestDashboardCanBeImported(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(monitoring, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		UID        string
		Templating struct{ List []struct{ Name, Type string } }
		Panels     []struct {
			ID         int
			Title      string
			Datasource struct{ UID string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if d.UID != "ftpalg" || d.Templating.List[0].Type != "datasource" {
		t.Errorf("uid %q, variables %+v", d.UID, d.Templating.List)
	}
	numbers := map[int]bool{}
	for _, p := range d.Panels {
		if numbers[p.ID] || p.Title == "" || p.Datasource.UID != "${"+d.Templating.List[0].Name+"}" {
			t.Errorf("panel %+v", p)
		}
		numbers[p.ID] = true
	}
}

func TestAlertsAreGoodAndAlert(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("FTPALG_E2E") == "1" {
		t.Fatal(err)
	} else if err != nil {
		t.Skip(err)
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"test", "rules", "alerts_test.yaml"}} {
		c := exec.Command(promtool, args...)
		c.Dir = monitoring
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// TestEveryAlertIsTried looks for each alert among those that alerts_test.yaml
// expects to fire.
func TestEveryAlertIsTried(t *testing.T) {
	tests, err := os.ReadFile(filepath.Join(monitoring, "alerts_test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(expressions(t)["alerts.yaml"][0], -1) {
		if !regexp.MustCompile(`alertname: ` + m[1] + `\n +exp_alerts:`).Match(tests) {
			t.Errorf("%s is never expected to fire", m[1])
		}
	}
}
