package ftp

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/rand/v2"
)

// patternSize is the length in bytes of the random pattern that fills big
// files. It is no multiple of any buffer's size, so that a lost, repeated or
// exchanged buffer changes the checksum.
const patternSize = 1<<20 + 7

// Content is what a file holds: a pattern, repeated until the size is
// reached. The zero Content is empty. A Content never changes.
type Content struct {
	pattern []byte
	size    int64
}

// Bytes is the content b, which must not be changed afterwards.
func Bytes(b []byte) Content { return Content{pattern: b, size: int64(len(b))} }

// Random is content of a size in bytes, always the same for the same seed. It
// occupies at most about 1 MiB of memory, whatever its size.
func Random(seed uint64, size int64) Content {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	pattern := make([]byte, min(size, patternSize))
	_, _ = rand.NewChaCha8(key).Read(pattern) // never fails: math/rand/v2
	return Content{pattern: pattern, size: size}
}

// Size returns the length in bytes.
func (c Content) Size() int64 { return c.size }

// Sum returns the SHA-256 checksum.
func (c Content) Sum() [sha256.Size]byte {
	h := sha256.New()
	_, _ = c.WriteFrom(h, 0) // a hash never fails: hash.Hash
	return [sha256.Size]byte(h.Sum(nil))
}

// WriteFrom writes the content from an offset in bytes to its end. An offset
// beyond the end writes nothing.
func (c Content) WriteFrom(w io.Writer, offset int64) (written int64, err error) {
	for offset < c.size && err == nil {
		part := c.pattern[offset%int64(len(c.pattern)):]
		part = part[:min(int64(len(part)), c.size-offset)]
		var n int
		n, err = w.Write(part)
		written += int64(n)
		offset += int64(n)
	}
	return written, err
}
