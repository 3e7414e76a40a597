package config

import (
	"fmt"
	"io"
	"os"
)

// maxBytes bounds the size of a configuration.
const maxBytes = 1 << 20

// Load reads the configuration in the file, or the folder of fragments, at
// path. The error is a List if it is wrong, else it says why it cannot be
// read.
func Load(path string) (*Config, error) {
	data, err := Read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// Read returns what is in the file at path, or in the fragments of a folder, of
// which Parse refuses what is too long.
func Read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return readFolder(path)
	}
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	return data, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxBytes+1))
}

// Parse reads the configuration in data, which Read has returned; name stands
// for the file in errors. The error is a List: everything that is wrong, in file
// order.
func Parse(name string, data []byte) (*Config, error) {
	r := newReport(name)
	c := Default()
	if root, ok := r.root(data); ok {
		d := &decoder{report: r, left: maxValues}
		group(c.fields()).read(d, "", root)
		if r.clean("") {
			c.check(r)
		}
	}
	if len(r.errors) > 0 {
		r.errors.sort()
		return nil, r.errors
	}
	return c, nil
}
