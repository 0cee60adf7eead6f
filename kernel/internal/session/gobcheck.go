package session

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
)

// gobCheck walks through the messages of a gob stream, and finds lengths that cannot be
// true: package gob makes room for a map of the length that it is told before it reads
// any element, so a damaged one would take all memory. The format is that of the
// documentation of encoding/gob.
type gobCheck struct {
	known map[int64]gobType // that the stream has defined, by their numbers
	begun [][]byte          // the messages of a value of which there is more to come

	// While it walks:
	types map[int64]gobType // known, and what the value defines
	rest  []byte            // of a message
	next  [][]byte          // the messages after it
	depth int               // of values within values
}

// gobType is a type as a stream defines it.
type gobType struct {
	kind      gobKind
	key, elem int64   // numbers of types
	fields    []int64 // of a struct
}

type gobKind int

// The kinds are the numbers of the types that need no definition, then those that have one.
const (
	gobBool gobKind = iota + 1
	gobInt
	gobUint
	gobFloat
	gobBytes
	gobString
	gobComplex
	gobInterface
	gobList // an array or a slice: a length, then the elements
	gobStruct
	gobMap
	gobMarshaled // bytes that the type itself makes and reads
)

// errGob is panicked with inside of this file.
type errGob struct{ error }

var errGobMore = errors.New("it goes on in another message")

func (c *gobCheck) fail(format string, args ...any) { panic(errGob{fmt.Errorf(format, args...)}) }

// message takes one message, without the length before it, and tells whether something
// is whole with it: a value or the definition of a type. A value goes on in another
// message where one within it is of a type that is defined there.
func (c *gobCheck) message(b []byte) (whole bool, err error) {
	c.begun = append(c.begun, b)
	defer func() {
		switch r := recover().(type) {
		case nil:
		case errGob:
			if r.error != errGobMore {
				err = r.error
				return
			}
			c.begun[len(c.begun)-1] = bytes.Clone(b) // which is the caller's
		default:
			panic(r)
		}
	}()
	c.types, c.rest, c.next, c.depth = maps.Clone(c.known), c.begun[0], c.begun[1:], 0
	if id := c.int(); id >= 0 {
		c.value(id)
	} else {
		c.define(-id)
	}
	if len(c.rest) > 0 {
		c.fail("%d bytes too many", len(c.rest))
	}
	c.known, c.begun = c.types, nil
	return true, nil
}

// value walks through a value that stands by itself.
func (c *gobCheck) value(id int64) {
	if c.typeOf(id).kind != gobStruct && c.uint() != 0 {
		c.fail("no value where one should begin")
	}
	c.walk(id)
}

func (c *gobCheck) typeOf(id int64) gobType {
	if t, ok := c.types[id]; ok {
		return t
	}
	if id < int64(gobBool) || id > int64(gobInterface) {
		c.fail("a type that was not defined, %d", id)
	}
	return gobType{kind: gobKind(id)}
}

func (c *gobCheck) walk(id int64) {
	if c.depth++; c.depth > 1000 {
		c.fail("values within values, more than %d deep", c.depth)
	}
	defer func() { c.depth-- }()
	switch t := c.typeOf(id); t.kind {
	case gobBool, gobInt, gobUint, gobFloat:
		c.uint()
	case gobComplex:
		c.uint()
		c.uint()
	case gobBytes, gobString, gobMarshaled:
		c.skip()
	case gobInterface:
		if len(c.skip()) == 0 {
			return // nil
		}
		id := c.int()
		for ; id < 0; id = c.int() {
			c.define(-id)
			switch {
			case len(c.rest) > 0:
				c.uint() // the length of what follows
			case len(c.next) > 0:
				c.rest, c.next = c.next[0], c.next[1:]
			default:
				panic(errGob{errGobMore})
			}
		}
		c.uint() // again
		c.value(id)
	case gobStruct:
		c.eachField(len(t.fields), func(i int) { c.walk(t.fields[i]) })
	case gobList, gobMap:
		for range c.length() {
			if t.kind == gobMap {
				c.walk(t.key)
			}
			c.walk(t.elem)
		}
	}
}

// define reads the definition of a type: a struct of which one field is set.
func (c *gobCheck) define(id int64) {
	var t gobType
	c.eachField(7, func(i int) {
		t.kind = [...]gobKind{gobList, gobList, gobStruct, gobMap, gobMarshaled, gobMarshaled, gobMarshaled}[i]
		c.eachField(3, func(j int) {
			switch {
			case j == 0:
				c.common()
			case t.kind == gobStruct && j == 1:
				for range c.length() {
					t.fields = append(t.fields, c.common())
				}
			case t.kind == gobMap && j == 1:
				t.key = c.int()
			case t.kind == gobList && j == 1, t.kind == gobMap && j == 2:
				t.elem = c.int()
			case t.kind == gobList && j == 2: // the length of an array's type; its values have their own
				c.int()
			default:
				c.fail("a type with a field too many")
			}
		})
	})
	if _, again := c.types[id]; again || id <= int64(gobInterface) || t.kind == 0 {
		c.fail("a type that cannot be defined, %d", id)
	}
	if c.types == nil {
		c.types = map[int64]gobType{}
	}
	c.types[id] = t
}

// common reads what all types and fields have, a name and a type's number.
func (c *gobCheck) common() (id int64) {
	c.eachField(2, func(i int) {
		if i == 0 {
			c.skip()
		} else {
			id = c.int()
		}
	})
	return id
}

// eachField calls f for those of a struct's n fields that are there.
func (c *gobCheck) eachField(n int, f func(i int)) {
	for i := -1; ; {
		delta := c.uint()
		if delta == 0 {
			return
		}
		if delta >= uint64(n-i) {
			c.fail("a field too many")
		}
		i += int(delta)
		f(i)
	}
}

// length reads a number of elements, each of which has a byte at least.
func (c *gobCheck) length() int {
	n := c.uint()
	if n > uint64(len(c.rest)) {
		c.fail("%d elements in %d bytes", n, len(c.rest))
	}
	return int(n)
}

// skip reads bytes with their number before them.
func (c *gobCheck) skip() []byte {
	n := c.length()
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *gobCheck) int() int64 {
	u := c.uint()
	if u&1 != 0 {
		return ^int64(u >> 1)
	}
	return int64(u >> 1)
}

func (c *gobCheck) uint() uint64 {
	n, size, err := readGobUint(c.rest)
	if err == nil && size == 0 {
		err = errors.New("it ends in the middle")
	}
	if err != nil {
		panic(errGob{err})
	}
	c.rest = c.rest[size:]
	return n
}

// readGobUint reads an unsigned number and tells how many bytes it has, 0 if they are
// not all there.
func readGobUint(b []byte) (n uint64, size int, err error) {
	if len(b) == 0 {
		return 0, 0, nil
	}
	if b[0] < 0x80 {
		return uint64(b[0]), 1, nil
	}
	size = 1 - int(int8(b[0]))
	switch {
	case size > 9:
		return 0, 0, fmt.Errorf("a number of %d bytes", size-1)
	case size > len(b):
		return 0, 0, nil
	}
	for _, c := range b[1:size] {
		n = n<<8 | uint64(c)
	}
	return n, size, nil
}
