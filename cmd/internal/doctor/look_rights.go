package doctor

import (
	"math"
	"strconv"
	"strings"
)

// rights reads what this process may do, and what the unit will be allowed.
func (l *looker) rights() {
	for line := range strings.Lines(l.text("proc/self/status")) {
		if set, is := strings.CutPrefix(line, "CapEff:"); is {
			l.facts.Process.Capabilities, _ = strconv.ParseUint(strings.TrimSpace(set), 16, 64) // 0: none
		}
	}
	for line := range strings.Lines(l.text("proc/self/limits")) {
		if limit, is := strings.CutPrefix(line, "Max open files"); is {
			if words := strings.Fields(limit); len(words) > 1 {
				l.facts.Process.Files = limitOf(words[1]) // the hard one: programs raise the soft one to it
			}
		}
	}
	out, err := l.Run(l.ctx, "systemctl", "show", "ftpalg.service", "--property=LoadState,CapabilityBoundingSet,AmbientCapabilities,User,LimitNOFILE")
	if err == nil {
		l.facts.Unit = parseUnit(string(out))
	}
}

// parseUnit reads what `systemctl show` prints, nil for a unit that is not
// installed. Another user than root has the ambient capabilities only.
func parseUnit(text string) *Rights {
	values := make(map[string]string)
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[name] = value
	}
	if values["LoadState"] != "loaded" {
		return nil
	}
	set := values["CapabilityBoundingSet"]
	if user := values["User"]; user != "" && user != "root" {
		set = values["AmbientCapabilities"]
	}
	r := &Rights{Files: limitOf(values["LimitNOFILE"])}
	for _, c := range capabilities() {
		if strings.Contains(" "+set+" ", " "+strings.ToLower(c.name)+" ") {
			r.Capabilities |= 1 << c.bit
		}
	}
	return r
}

func limitOf(text string) uint64 {
	if text == "unlimited" || text == "infinity" {
		return math.MaxUint64
	}
	n, _ := strconv.ParseUint(text, 10, 64) // 0: not known
	return n
}
