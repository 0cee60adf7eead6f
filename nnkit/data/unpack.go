package data

import (
	"fmt"
	"io"
)

// A file of a few kilobytes can unpack to more than any memory holds. Real data do not shrink to a hundredth, unless there
// is little in them; what is small in any case may.
const (
	unpackedAnyway = 256 << 20 // bytes that a file may unpack to, however small it is
	unpackedAtMost = 100       // times what it has itself, beyond that
)

// unpacking counts what comes out of a compressed file, and refuses what is made to fill the memory.
type unpacking struct {
	packed func() int64 // bytes of the file, as far as they were read
	anyway int64        // unpackedAnyway
	plain  int64
}

// reader reads what r has unpacked.
func (u *unpacking) reader(r io.Reader) io.Reader { return unpackingReader{r, u} }

// room tells whether so many more bytes may come out.
func (u *unpacking) room(more uint64) error {
	plain, packed := uint64(u.plain)+more, u.packed()
	if plain <= uint64(u.anyway) || plain/unpackedAtMost <= uint64(packed) {
		return nil
	}
	return fmt.Errorf("its %.1f MB unpack to %.1f MB or more, which is over %d times as much, as of a file that is made to fill the memory: "+
		"if you trust it, unpack it (unzip, gunzip) and read what comes out", float64(packed)/1e6, float64(plain)/1e6, unpackedAtMost)
}

type unpackingReader struct {
	io.Reader
	*unpacking
}

func (r unpackingReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.plain += int64(n)
	if refused := r.room(0); refused != nil {
		return n, refused
	}
	return n, err
}

// counted counts what is read.
type counted struct {
	io.Reader
	n int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += int64(n)
	return n, err
}
