package doctor

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"strconv"
	"strings"
)

// sockets lists the listening TCP sockets and finds their owners.
func (l *looker) sockets() {
	owners := l.owners()
	for _, file := range []string{"tcp", "tcp6"} {
		b, err := fs.ReadFile(l.Files, "proc/thread-self/net/"+file)
		if err != nil {
			continue // the kernel does without the family
		}
		for line := range strings.Lines(string(b)) {
			if at, inode, ok := parseSocket(line); ok {
				s := owners[inode]
				s.At = at
				l.facts.Listening = append(l.facts.Listening, s)
			}
		}
	}
}

// listening is TCP_LISTEN in /proc/net/tcp (include/net/tcp_states.h).
const listening = "0A"

// parseSocket reads a line of proc_net_tcp(5): number, local address, remote
// address, state, and as the tenth word the inode.
func parseSocket(line string) (at netip.AddrPort, inode string, ok bool) {
	words := strings.Fields(line)
	if len(words) < 10 || words[3] != listening {
		return at, "", false
	}
	address, port, _ := strings.Cut(words[1], ":")
	raw, err1 := hex.DecodeString(address)
	number, err2 := strconv.ParseUint(port, 16, 16)
	if err1 != nil || err2 != nil || len(raw)%4 != 0 {
		return at, "", false
	}
	for i := 0; i < len(raw); i += 4 { // each word in the machine's order
		binary.BigEndian.PutUint32(raw[i:], binary.NativeEndian.Uint32(raw[i:]))
	}
	a, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(a.Unmap(), uint16(number)), words[9], ok
}

// owners returns the process of each socket, by the socket's inode.
func (l *looker) owners() map[string]Socket {
	owners := make(map[string]Socket)
	processes, _ := fs.Glob(l.Files, "proc/[0-9]*") // the pattern is good
	var denied error
	for _, dir := range processes {
		pid, err := strconv.Atoi(path.Base(dir))
		if err != nil {
			continue
		}
		descriptors, err := fs.ReadDir(l.Files, dir+"/fd")
		if err != nil {
			if _, gone := fs.Stat(l.Files, dir); gone == nil {
				denied = err
			}
			continue
		}
		for _, d := range descriptors {
			if inode, is := l.socket(dir + "/fd/" + d.Name()); is {
				owners[inode] = Socket{PID: pid, Program: l.text(dir + "/comm"), Unit: l.unit(dir)}
			}
		}
	}
	if denied != nil {
		l.unseen("whose sockets listen", fmt.Errorf("needs root: %w", denied))
	}
	return owners
}

func (l *looker) socket(descriptor string) (inode string, is bool) {
	to, err := fs.ReadLink(l.Files, descriptor)
	if err != nil {
		return "", false // closed meanwhile
	}
	inode, is = strings.CutPrefix(to, "socket:[")
	return strings.TrimSuffix(inode, "]"), is
}

// unit returns the systemd unit that a process belongs to, "" for none.
func (l *looker) unit(process string) string {
	for line := range strings.Lines(l.text(process + "/cgroup")) {
		if name := path.Base(strings.TrimSpace(line)); strings.HasSuffix(name, ".service") || strings.HasSuffix(name, ".socket") {
			return name
		}
	}
	return ""
}
