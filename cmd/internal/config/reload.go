package config

// NeedsRestart returns the paths of the values that differ and that a reload
// cannot change, in the order of the file.
func NeedsRestart(old, new *Config) []string {
	values := []struct {
		path    string
		differs bool
	}{
		{"data.path", old.Data.Path != new.Data.Path},
		{"admin.socket", old.Admin.Socket != new.Admin.Socket},
		{"admin.http", old.Admin.HTTP != new.Admin.HTTP},
		{"admin.token", old.Admin.Token != new.Admin.Token},
		{"admin.token_file", old.Admin.TokenFile != new.Admin.TokenFile},
		{"admin.pprof", old.Admin.Pprof != new.Admin.Pprof},
		{"user", old.User != new.User},
		{"netfilter.mark", old.Netfilter.Mark != new.Netfilter.Mark},
		{"netfilter.route_table", old.Netfilter.RouteTable != new.Netfilter.RouteTable},
		{"netfilter.rule_priority", old.Netfilter.RulePriority != new.Netfilter.RulePriority},
	}
	var paths []string
	for _, v := range values {
		if v.differs {
			paths = append(paths, v.path)
		}
	}
	return paths
}
