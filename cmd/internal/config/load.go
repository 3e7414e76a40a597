package config

import (
	"fmt"
	"io"
	"os"
)

// maxBytes bounds the size of a file.
const maxBytes = 1 << 20

// Load reads the configuration in the file at path. The error is a List if
// the file is wrong, else it says why the file cannot be read.
func Load(path string) (*Config, error) {
	data, err := Read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// Read returns what is in the file at path, of which Parse refuses what is too
// long.
func Read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	return data, nil
}

// Parse reads the configuration in data; name stands for the file in errors.
// The error is a List: everything that is wrong, in file order.
func Parse(name string, data []byte) (*Config, error) {
	r := newReport(name)
	c := Default()
	if root, ok := r.document(data); ok {
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
