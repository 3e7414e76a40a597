// Command client is one step of the matrix with jlaffaye/ftp: HOST[:PORT] MODE
// STEP ARGUMENTS.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path"
	"time"

	"github.com/jlaffaye/ftp"
)

func main() {
	host, mode, step, args := os.Args[1], os.Args[2], os.Args[3], os.Args[4:]
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(host, "21")
	}
	c, err := ftp.Dial(host, ftp.DialWithTimeout(30*time.Second), ftp.DialWithDisabledEPSV(mode == "PASV"))
	if err == nil {
		err = c.Login("anonymous", "a@b")
	}
	if err == nil {
		err = run(c, step, args)
	}
	if err != nil {
		log.Fatal(err)
	}
	c.Quit()
}

func run(c *ftp.ServerConn, step string, args []string) error {
	switch step {
	case "list", "mlsd": // it takes MLSD where the server has it
		entries, err := c.List(args[0])
		for _, e := range entries {
			fmt.Println(e.Name)
		}
		return err
	case "get":
		return get(c, args[0], args[1], 0)
	case "put":
		return with(args[0], func(f io.Reader) error { return c.Stor(args[1], f) })
	case "append":
		return errors.Join(
			with(args[0], func(f io.Reader) error { return c.Stor(args[2], f) }),
			with(args[1], func(f io.Reader) error { return c.Append(args[2], f) }))
	case "resume":
		return get(c, args[0], args[1], 1000000)
	case "many":
		return many(c, args[0], args[1])
	case "abort":
		r, err := c.Retr(args[0])
		if err != nil {
			return err
		}
		io.CopyN(io.Discard, r, 100000)
		r.Close() // breaks off; the reply is an error, as it should be
		return get(c, args[1], args[2], 0)
	case "idle":
		c.List(".")
		time.Sleep(time.Minute)
		return get(c, args[0], args[1], 0)
	}
	return fmt.Errorf("no step %s", step)
}

func get(c *ftp.ServerConn, name, to string, from uint64) error {
	r, err := c.RetrFrom(name, from)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close(), r.Close())
}

func many(c *ftp.ServerConn, from, to string) error {
	names, err := c.NameList(from)
	for _, name := range names {
		if base := path.Base(name); base != "." && base != ".." && err == nil {
			err = get(c, path.Join(from, base), path.Join(to, base), 0)
		}
	}
	return err
}

func with(name string, do func(io.Reader) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return do(f)
}
