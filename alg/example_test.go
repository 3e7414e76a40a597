package alg_test

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/algtest"
	"ftpalg/alg/nat"
)

// A client asks for passive mode. The server announces its inside address; the
// client is told the gateway's, and the kernel was asked to admit that one
// connection before.
func Example() {
	kernel := algtest.NewKernel(netip.MustParseAddr("198.18.1.1"))
	gateway := alg.New(alg.Options{Kernel: kernel, Settings: alg.Settings{
		PassivePorts: nat.Range{Low: 50000, High: 50000}, PinholeTimeout: time.Minute,
		ConnectTimeout: time.Second, IdleTimeout: time.Hour, Sessions: 10, SessionsPerClient: 10, CommandLine: 4096,
	}})
	service := func() alg.Service {
		return alg.Service{Name: "legacy", Server: netip.MustParseAddrPort("198.18.1.20:21")}
	}
	acceptor := algtest.NewAcceptor()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- gateway.Serve(ctx, service, acceptor) }()

	reached := netip.MustParseAddrPort("203.0.113.1:21")
	client, accepted := algtest.Pipe(netip.MustParseAddrPort("203.0.113.10:60001"), reached)
	acceptor.Deliver(alg.Arrival{Conn: accepted, Reached: reached})
	server := kernel.Server()
	replies, commands := bufio.NewScanner(client), bufio.NewScanner(server)

	fmt.Fprint(server, "220 ready\r\n")
	replies.Scan()
	fmt.Fprint(client, "PASV\r\n")
	commands.Scan()
	fmt.Fprint(server, "227 Entering Passive Mode (198,18,1,20,19,136).\r\n")
	replies.Scan()
	fmt.Println(replies.Text())
	fmt.Println(kernel.Standing()[0])

	stop()
	<-served
	ended, end := context.WithCancel(context.Background())
	end()
	gateway.Drain(ended)
	// Output:
	// 227 Entering Passive Mode (203,0,113,1,195,80).
	// session 1 PASV: 203.0.113.10 -> 203.0.113.1:50000 => 198.18.1.20:5000 as 198.18.1.1
}
