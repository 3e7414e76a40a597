package e2e

import (
	"strings"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// scan tries every TCP port of a host from one address, and prints those that
// take the connection. What is dropped does not answer: it waits for each two
// thousand together.
const scan = `
import errno, select, socket, sys
source, target = sys.argv[1:]
for base in range(1, 65536, 2000):
    tries, poll = {}, select.epoll()
    for port in range(base, min(base + 2000, 65536)):
        s = socket.socket()
        s.setblocking(False)
        s.bind((source, 0))
        s.connect_ex((target, port))
        tries[s.fileno()] = (s, port)
        poll.register(s, select.EPOLLOUT)
    for _ in range(3):
        for fd, _ in poll.poll(0.25):
            s, port = tries[fd]
            if s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                print(port)
            poll.unregister(fd)
    for s, _ in tries.values():
        s.close()
print("done")
`

func TestAScanFindsNothingThatIsNotPromisedToIt(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	try(t, s.Client.AddAddress("eth0", "203.0.113.11/24"))
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient, passive: "50000-50999", pinhole: "10m"})
	const sessions = 50
	holders := make([]*ftp.Client, sessions)
	for i := range holders {
		holders[i] = s.connect(t)
		says(t, holders[i], "PASV", 227)
	}
	c := s.Client.Command(t.Context(), "sh", "-c", `ulimit -n 4096; exec python3 -c "$1" "$2" "$3"`, "sh", scan, "203.0.113.11", s.Contact.String())
	out, err := c.CombinedOutput()
	found := strings.Fields(string(out))
	if err != nil || len(found) != 2 || found[0] != "21" || found[1] != "done" {
		t.Errorf("the scan found %q, %v; want port 21 alone", found, err)
	}
	open := 0
	for _, p := range g.pinholes(t) {
		if p.State == "promised" && time.Until(p.Expires) > 0 {
			open++
		}
	}
	if open != sessions {
		t.Errorf("%d promises are open after the scan, want %d", open, sessions)
	}
	fetch(t, holders[sessions/2], s.server.files, ftp.PASV, "pub/small")
	for _, c := range holders {
		try(t, c.Quit())
	}
	g.closedAgain(t)
}
