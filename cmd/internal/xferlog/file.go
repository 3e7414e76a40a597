package xferlog

import (
	"fmt"
	"os"
)

// OpenFile opens a transfer log at its end, made with mode 0640 if it is not
// there.
func OpenFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open the transfer log: %w", err)
	}
	return f, nil
}

// file is the file that lines are written to. It belongs to one goroutine.
type file struct {
	opens  func(path string) (*os.File, error)
	report func(error)
	path   string
	open   *os.File
	// torn says that only the beginning of the last line was written.
	torn bool
	// failing says that report has been told so.
	failing bool
}

// obey carries out an order, and reports the change from good to bad and back.
// Lost is how many lines had no room before it.
func (f *file) obey(o order, lost uint64) {
	err := f.carryOut(o)
	if err == nil && lost > 0 {
		err = fmt.Errorf("write the transfer log: the disk does not keep up, %d lines are lost", lost)
	}
	if failing := err != nil; failing != f.failing {
		f.failing = failing
		f.report(err)
	}
}

func (f *file) carryOut(o order) error {
	if o.line != nil {
		return f.write(o.line)
	}
	f.close()
	f.path, f.torn = o.path, false
	return f.ready()
}

// ready opens the file unless it is open.
func (f *file) ready() (err error) {
	if f.open != nil || f.path == "" {
		return nil
	}
	if f.open, err = f.opens(f.path); err != nil {
		f.open = nil
	}
	return err
}

// write writes a line with one call. The rest of one that the disk had no room
// for is made up for by a line end, so that the next is a line of its own.
func (f *file) write(line []byte) error {
	if err := f.ready(); err != nil || f.open == nil {
		return err
	}
	if f.torn {
		line = append([]byte("\n"), line...)
	}
	n, err := f.open.Write(line)
	if n > 0 {
		f.torn = n < len(line)
	}
	if err != nil {
		return fmt.Errorf("write the transfer log: %w", err)
	}
	return nil
}

func (f *file) close() {
	if f.open != nil {
		f.open.Close()
		f.open = nil
	}
}
