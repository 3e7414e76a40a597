package ftp

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
)

// Files is a file tree in memory. Directories come into being with the files
// below them. It may be used from several goroutines.
type Files struct {
	mu      sync.RWMutex
	content map[string]Content // by absolute, clean path
	empty   map[string]bool    // directories that exist without files
}

// NewFiles returns a tree of files by path, and of directories that may be
// empty. A path counts from the root.
func NewFiles(content map[string]Content, directories ...string) *Files {
	f := &Files{content: make(map[string]Content, len(content)), empty: make(map[string]bool)}
	for name, c := range content {
		f.Put(name, c)
	}
	for _, dir := range directories {
		f.empty[absolute(dir)] = true
	}
	return f
}

// Put creates or replaces a file.
func (f *Files) Put(name string, c Content) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.content[absolute(name)] = c
}

// Get returns a file's content.
func (f *Files) Get(name string) (c Content, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	c, ok = f.content[absolute(name)]
	return c, ok
}

// entry is one line of a listing.
type entry struct {
	name string
	dir  bool
	size int64
}

// String returns the entry as `ls -l` prints it, which is what clients parse.
func (e entry) String() string {
	mode := "-rw-r--r--"
	if e.dir {
		mode = "drwxr-xr-x"
	}
	return fmt.Sprintf("%s    1 ftp      ftp  %12d Jan 01  2000 %s", mode, e.size, e.name)
}

// list returns what a directory holds, sorted by name; for a file, the file.
// ok is false where neither exists; the root always does.
func (f *Files) list(name string) (entries []entry, ok bool) {
	name = absolute(name)
	f.mu.RLock()
	defer f.mu.RUnlock()
	if c, isFile := f.content[name]; isFile {
		return []entry{{name: path.Base(name), size: c.size}}, true
	}
	prefix := strings.TrimSuffix(name, "/") + "/"
	found := make(map[string]entry)
	for dir := range f.empty {
		if rest, below := strings.CutPrefix(dir, prefix); below {
			first, _, _ := strings.Cut(rest, "/")
			found[first] = entry{name: first, dir: true}
		}
	}
	for file, c := range f.content {
		rest, below := strings.CutPrefix(file, prefix)
		if !below {
			continue
		}
		first, _, deeper := strings.Cut(rest, "/")
		if deeper {
			found[first] = entry{name: first, dir: true}
		} else {
			found[first] = entry{name: first, size: c.size}
		}
	}
	sorted := slices.SortedFunc(maps.Values(found), func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return sorted, len(sorted) > 0 || f.empty[name] || name == "/"
}

func absolute(name string) string { return path.Clean("/" + name) }
