package main

import (
	"crypto/sha256"
	"fmt"

	"ftpalg/deploy/lab/ftp"
)

// transfer is what there is to tell of one transfer through the gateway.
type transfer struct {
	mode       ftp.Mode
	from, to   side
	said, told string // the line that announced the data connection, at its two ends
	rules      []rule
	sent, got  file
}

// file is what can be compared of a file.
type file struct {
	bytes int64
	sum   [sha256.Size]byte
}

// String returns the length and the beginning of the checksum.
func (f file) String() string { return fmt.Sprintf("%d bytes, sha256 %x", f.bytes, f.sum[:8]) }

func describe(c ftp.Content) file { return file{c.Size(), c.Sum()} }

// transfer downloads the file, or uploads one, and collects what happened.
// What is known comes back with an error too.
func (st *stage) transfer(c *ftp.Client, m ftp.Mode, upload bool) (t transfer, err error) {
	t = transfer{mode: m, from: server, to: client}
	st.watcher.expect(m)
	if upload {
		t.from, t.to = client, server
		t.sent, t.got, err = st.upload(c, m)
	} else {
		t.sent, t.got, err = st.download(c, m)
	}
	who, begins := announcer(m)
	t.said = st.notes.last(who, true, begins)
	t.told = st.notes.last(who.other(), false, begins)
	if err != nil {
		return t, err
	}
	if t.sent != t.got {
		return t, fmt.Errorf("%s: the %s's file did not arrive as it is", m, t.from)
	}
	if t.rules, err = st.watcher.seen(); err != nil {
		return t, fmt.Errorf("%s: %w", m, err)
	}
	return t, nil
}

func (st *stage) download(c *ftp.Client, m ftp.Mode) (sent, got file, err error) {
	content, _ := st.files.Get(fileName)
	sum := sha256.New()
	down, err := c.Retrieve(m, fileName, sum)
	return describe(content), file{down.Bytes, [sha256.Size]byte(sum.Sum(nil))}, err
}

func (st *stage) upload(c *ftp.Client, m ftp.Mode) (sent, got file, err error) {
	content, name := ftp.Random(2, fileSize), "up/"+string(m)
	_, err = c.Store(m, name, content)
	arrived, _ := st.files.Get(name)
	return describe(content), describe(arrived), err
}

// direction names a transfer as FTP's users do.
func (t transfer) direction() string {
	if t.from == client {
		return "upload"
	}
	return "download"
}

func (p *page) heading(t transfer) {
	p.line("")
	p.line("  " + p.in(bold, fmt.Sprintf("%s, %s", t.mode, t.direction())))
}

// transfer writes what happened. The rules were printed by tool.
func (p *page) transfer(t transfer, tool string, worked bool) {
	who, _ := announcer(t.mode)
	p.heading(t)
	p.fact(string(who)+" said", plain, t.said)
	p.fact(string(who.other())+" was told", plain, t.told)
	if len(t.rules) > 0 {
		p.line(fmt.Sprintf("    open at that moment (%s -t TABLE -S):", tool))
	}
	for _, r := range t.rules {
		p.rule(r)
	}
	p.fact(string(t.from)+" sent", plain, t.sent.String())
	if worked {
		p.fact(string(t.to)+" received", good, t.got.String()+", ok")
	} else {
		p.fact(string(t.to)+" received", bad, t.got.String())
	}
}
