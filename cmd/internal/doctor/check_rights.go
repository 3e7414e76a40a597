package doctor

import (
	"strings"

	"golang.org/x/sys/unix"

	"ftpalg/cmd/internal/config"
)

// capability is one that the gateway needs.
type capability struct {
	bit  int
	name string
	why  string
}

func capabilities() []capability {
	return []capability{
		{unix.CAP_NET_ADMIN, "CAP_NET_ADMIN", "rules, policy routes and transparent sockets need it"},
		{unix.CAP_NET_RAW, "CAP_NET_RAW", "iptables-legacy needs it"},
		{unix.CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", "port 21 needs it"},
	}
}

// holder returns whose rights count: the unit's where there is one, or those
// that this process would hand on to `ftpalg run`.
func (f *Facts) holder() (r Rights, who string, unit bool) {
	if f.Unit != nil {
		return *f.Unit, "ftpalg.service", true
	}
	return f.Process, "this user", false
}

func rights(f *Facts, _ *config.Config) []Finding {
	const id = "capabilities"
	holder, who, unit := f.holder()
	var missing, whys []string
	for _, c := range capabilities() {
		if holder.Capabilities&(1<<c.bit) == 0 {
			missing, whys = append(missing, c.name), append(whys, c.name+": "+c.why)
		}
	}
	names := strings.Join(missing, " ")
	switch {
	case len(missing) == 0:
		return []Finding{good(id, "%s has the capabilities that the gateway needs", who)}
	case unit:
		return []Finding{problem(id, "%s may not have %s", who, names).because(strings.Join(whys, "; ")).
			by("%s", dropIn("capabilities", "CapabilityBoundingSet="+names+`\nAmbientCapabilities=`+names))}
	}
	return []Finding{problem(id, "%s lacks %s", who, names).because(strings.Join(whys, "; ")).
		by("sudo ftpalg run --config /etc/ftpalg/ftpalg.yaml")}
}

// dropIn returns the command that adds settings to the unit.
func dropIn(name, settings string) string {
	const dir = "/etc/systemd/system/ftpalg.service.d"
	return "mkdir -p " + dir + ` && printf '[Service]\n` + settings + `\n' >` + dir + "/" + name + ".conf && systemctl daemon-reload"
}

// reserve is how many descriptors the gateway needs beside its sessions:
// listeners, netlink, the admin socket and its visitors.
const reserve = 256

func files(f *Facts, c *config.Config) []Finding {
	const id = "file-limit"
	holder, who, unit := f.holder()
	need := uint64(2*c.Limits.Sessions + reserve)
	if holder.Files >= need {
		return []Finding{good(id, "%s may open %d files, for limits.sessions %d", who, holder.Files, c.Limits.Sessions)}
	}
	found := warn(id, "%s may open %d files; limits.sessions %d needs %d", who, holder.Files, c.Limits.Sessions, need).
		because("A session holds two sockets. Without descriptors new clients wait until others leave.")
	if unit {
		return []Finding{found.by("%s", dropIn("files", "LimitNOFILE="+number(need)))}
	}
	return []Finding{found.by("ulimit -n %d", need)}
}
