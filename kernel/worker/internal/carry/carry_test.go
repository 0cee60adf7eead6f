package carry

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

// inOne has one process stand for both: what Save finds in it is in the heap, and the
// types are those of the test.
func inOne(t *testing.T, types ...any) {
	before := Here
	t.Cleanup(func() { Here = before })
	Here = &Process{
		InHeap:  func(unsafe.Pointer) bool { return true },
		Library: func(unsafe.Pointer) (string, uintptr, bool) { return "", 0, false },
		Base:    func(string) unsafe.Pointer { return nil },
		Types: func(yield func(reflect.Type) bool) {
			for _, v := range types {
				if !yield(reflect.TypeOf(v)) {
					return
				}
			}
		},
	}
}

type tree struct {
	left, right *tree
	name        string
	weight      [3]float32
}

type owner struct {
	all    []tree
	second *tree
	tail   []tree
	byName map[string]*tree
	any    any
	none   map[int]int
}

// TestShared takes apart and puts together what is shared within a variable and
// between two.
func TestShared(t *testing.T) {
	inOne(t, tree{}, owner{}, "", 0, float32(0))
	a := owner{all: make([]tree, 2, 4)}
	a.second, a.tail = &a.all[1], a.all[1:4:4]
	a.all[0].left, a.all[1].right, a.tail[2].name = a.second, &a.all[0], "beyond"
	a.byName = map[string]*tree{"first": &a.all[0], "": nil}
	a.any = a.byName
	b := &a.all[0].weight[1]
	file := filepath.Join(t.TempDir(), "file")
	reasons, needs, err := Save(file, []any{&a, &b})
	if err != nil || len(needs) > 0 || !reflect.DeepEqual(reasons, []string{"", ""}) {
		t.Fatal(reasons, needs, err)
	}
	var got owner
	var weight *float32
	if reasons, err := Restore(file, []any{&got, &weight}, nil); err != nil || !reflect.DeepEqual(reasons, []string{"", ""}) {
		t.Fatal(reasons, err)
	}
	if !reflect.DeepEqual(got, a) {
		t.Errorf("got %+v, want %+v", got, a)
	}
	*weight = 5
	got.second.name = "second"
	got.any.(map[string]*tree)["new"] = got.second
	switch {
	case got.all[0].weight[1] != 5:
		t.Error("two variables do not share memory any more")
	case got.all[1].name != "second" || got.tail[0].name != "second" || got.all[0].left != got.second || got.byName["first"] != &got.all[0]:
		t.Error("pointers lead elsewhere")
	case got.byName["new"] != got.second:
		t.Error("a map has become two")
	case cap(got.all) != 4 || got.all[:4][3].name != "beyond":
		t.Error("what lies beyond a slice's length is lost")
	case got.none != nil:
		t.Error("a nil map is not nil")
	}
}

// TestLong carries a list that is longer than a stack is deep.
func TestLong(t *testing.T) {
	inOne(t, tree{})
	const n = 100_000
	var list *tree
	for i := range n {
		list = &tree{left: list, weight: [3]float32{float32(i)}}
	}
	file := filepath.Join(t.TempDir(), "file")
	if _, _, err := Save(file, []any{&list}); err != nil {
		t.Fatal(err)
	}
	var got *tree
	if _, err := Restore(file, []any{&got}, nil); err != nil {
		t.Fatal(err)
	}
	for i := n - 1; i >= 0; i-- {
		if got == nil || got.weight[0] != float32(i) {
			t.Fatalf("element %d is %+v", i, got)
		}
		got = got.left
	}
}

// TestObstacles names what cannot be carried.
func TestObstacles(t *testing.T) {
	inOne(t)
	var held sync.Mutex
	held.Lock()
	var reading sync.RWMutex
	reading.RLock()
	var waiting sync.WaitGroup
	waiting.Add(1)
	var filled sync.Map
	filled.Store(1, 2)
	for _, c := range []struct {
		value any
		want  string
	}{
		{&[]chan int{nil, make(chan int)}, "a channel, in [1] of a value of type []chan int"},
		{&struct{ f func() }{func() { t.Log(c1) }}, "a function literal, in .f of a value of type struct { f func() }"},
		{&map[string]any{"a": &held}, "a locked mutex"},
		{&reading, "a locked mutex"},
		{&waiting, "a sync.WaitGroup that waits for goroutines"},
		{&filled, "a sync.Map"},
		{&[1]reflect.Value{reflect.ValueOf(1)}, "a reflect.Value, in [0] of a value of type [1]reflect.Value"},
		{&struct{ p unsafe.Pointer }{unsafe.Pointer(&held)}, "an address (unsafe.Pointer), in .p of a value of type struct { p unsafe.Pointer }"},
	} {
		sound := 7
		reasons, _, err := Save(filepath.Join(t.TempDir(), "file"), []any{c.value, &sound})
		if err != nil || reasons[1] != "" || reasons[0] != c.want {
			t.Errorf("%T: %q %v, want %q", c.value, reasons, err, c.want)
		}
	}
}

var c1 = "captured by nobody else"

// TestChanged refuses types that have another layout by now.
func TestChanged(t *testing.T) {
	inOne(t, tree{})
	file := filepath.Join(t.TempDir(), "file")
	one, two := tree{name: "one"}, "two"
	if _, _, err := Save(file, []any{&one, &two}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		types []any
		want  string
	}{
		{[]any{two}, "a value of type carry.tree, which is not there any more"},
	} {
		inOne(t, c.types...)
		got, text := tree{name: "as it was"}, ""
		reasons, err := Restore(file, []any{&got, &text}, nil)
		if err != nil || !reflect.DeepEqual(reasons, []string{c.want, ""}) {
			t.Errorf("%q %v, want %q", reasons, err, c.want)
		}
		if got.name != "as it was" || text != "" {
			t.Errorf("%+v and %q were restored all the same", got, text)
		}
	}
}

// TestDamaged reads files of which something is missing.
func TestDamaged(t *testing.T) {
	inOne(t, tree{}, owner{}, "", 0)
	a := owner{all: []tree{{name: "one"}}, byName: map[string]*tree{"a": {}}, any: 1}
	file := filepath.Join(t.TempDir(), "file")
	if _, _, err := Save(file, []any{&a}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for n := range data {
		if err := os.WriteFile(file, data[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		var got owner
		if _, err := Restore(file, []any{&got}, nil); err == nil {
			t.Errorf("%d bytes of %d are read as a file", n, len(data))
		} else if !strings.HasPrefix(fmt.Sprint(err), file) {
			t.Errorf("the error does not name the file: %v", err)
		}
	}
	if _, err := Restore(filepath.Join(t.TempDir(), "absent"), nil, nil); !os.IsNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
}
