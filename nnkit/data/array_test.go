package data

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit"
)

// testdata/reference.py writes the files.
func TestReadNPZ(t *testing.T) {
	arrays := must(LoadNPZ("testdata/arrays.npz"))(t)
	plain := []float32{0, 1, 2, 3, 100, 127}
	checked := 0
	for name, a := range arrays {
		want, shape := plain, []int{2, 3}
		switch name {
		case "negative":
			want, shape = []float32{-1, -128, 5}, []int{3}
		case "negative64":
			want, shape = []float32{-1, -(1 << 40), 5}, []int{3}
		case "half":
			want, shape = []float32{0, -0.5, 1.0 / (1 << 24), 65504, float32(math.Inf(1))}, []int{5}
		case "bool":
			want, shape = []float32{1, 0, 1}, []int{3}
		case "scalar":
			want, shape = []float32{7.5}, []int{1}
		case "empty":
			want, shape = []float32{}, []int{0, 3}
		case "cube":
			shape = []int{2, 3, 4}
			want = make([]float32, 24)
			for i := range want {
				want[i] = float32(i)
			}
		default:
			checked++
		}
		if !slices.Equal(a.Data(), want) || !slices.Equal(a.Shape(), shape) {
			t.Errorf("%s: %v %v, want %v %v", name, a.Shape(), a.Data(), shape, want)
		}
	}
	if checked != 44 || len(arrays) != 51 {
		t.Errorf("%d arrays, %d of them of plain types", len(arrays), checked)
	}
	for _, version := range []string{"1", "2", "3"} {
		if a := must(LoadNPY("testdata/version" + version + ".npy"))(t); !slices.Equal(a.Data(), plain) {
			t.Errorf("version %s: %v", version, a.Data())
		}
	}
}

func npy(header string, values ...byte) []byte {
	b := append([]byte(npyMagic), 1, 0, byte(len(header)), byte(len(header)>>8))
	return append(append(b, header...), values...)
}

func TestArrayErrors(t *testing.T) {
	read := func(b []byte) error { return second(ReadNPY(bytes.NewReader(b))) }
	idx := func(b ...byte) error { return second(ReadIDX(bytes.NewReader(b))) }
	empty := []byte("PK\x05\x06" + strings.Repeat("\x00", 18))
	checkFailures(t, []failure{
		{second(LoadNPY("testdata/complex.npy")), `testdata/complex.npy: its values are of the type "<c16"`},
		{second(LoadNPY("testdata/record.npy")), "its values are records"},
		{second(LoadNPY("testdata/pcm8.wav")), "it is no NumPy array: it begins with"},
		{second(LoadNPY("testdata/none.npy")), "no such file"},
		{read(nil), "its first bytes end too soon"},
		{read([]byte(npyMagic + "\x09\x00")), "its format has the version 9"},
		{read([]byte(npyMagic + "\x02\x00\xff\xff\xff\xff")), "its header has 4294967295 bytes"},
		{read(npy("[]")), "it is no dictionary"},
		{read(npy("{'descr': '<f4', 'fortran_order': False}")), "descr, fortran_order or shape is missing"},
		{read(npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}")), "neither True nor False"},
		{read(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}")), "its shape is no tuple"},
		{read(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 1, 2, 3, 4)), "it ends after 1 of the 6 values"},
		{read(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }")), "more values than memory can hold"},
		{second(ReadNPZ(bytes.NewReader(empty), int64(len(empty)))), "there is no array in it"},
		{second(ReadNPZ(bytes.NewReader(nil), 0)), "zip: not a valid zip file"},
		{idx(), "its first bytes end too soon"},
		{idx(1, 2, 3, 4), "it is no IDX file: it begins with 01 02 03 04"},
		{idx(0, 0, 8, 2, 0, 0, 0, 1), "it ends within the sizes of its 2 dimensions"},
		{idx(0, 0, 8, 1, 0, 0, 0, 3, 1, 2), "it ends after 2 of the 3 values"},
		{idx(0x1f, 0x8b, 0, 0), "unexpected EOF"},
	})
}

func TestReadIDX(t *testing.T) {
	bytesOf := func(kind byte, values any) []byte {
		var b bytes.Buffer
		b.Write([]byte{0, 0, kind, 2, 0, 0, 0, 1, 0, 0, 0, 2})
		if err := binary.Write(&b, binary.BigEndian, values); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, test := range []struct {
		name string
		file []byte
		want []float32
	}{
		{"unsigned", bytesOf(0x08, []uint8{3, 255}), []float32{3, 255}},
		{"signed", bytesOf(0x09, []int8{-3, 127}), []float32{-3, 127}},
		{"short", bytesOf(0x0B, []int16{-300, 300}), []float32{-300, 300}},
		{"int", bytesOf(0x0C, []int32{-70000, 70000}), []float32{-70000, 70000}},
		{"float", bytesOf(0x0D, []float32{-0.5, 1.5}), []float32{-0.5, 1.5}},
		{"double", bytesOf(0x0E, []float64{-0.5, 1.5}), []float32{-0.5, 1.5}},
	} {
		for _, compressed := range []bool{false, true} {
			file := test.file
			if compressed {
				var b bytes.Buffer
				z := gzip.NewWriter(&b)
				if err := errors.Join(second(z.Write(file)), z.Close()); err != nil {
					t.Fatal(err)
				}
				file = b.Bytes()
			}
			a := must(ReadIDX(bytes.NewReader(file)))(t)
			if !slices.Equal(a.Data(), test.want) || !slices.Equal(a.Shape(), []int{1, 2}) {
				t.Errorf("%s: %v %v", test.name, a.Shape(), a.Data())
			}
		}
	}
}

// A file that promises much and holds little must not cost much.
func TestPromisesCostNothing(t *testing.T) {
	const most = 4 << 20
	for name, read := range map[string]func() error{
		"NPY": func() error {
			return second(ReadNPY(bytes.NewReader(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000, 1000, 1000), }"))))
		},
		"IDX": func() error {
			return second(ReadIDX(bytes.NewReader([]byte{0, 0, 0x0E, 2, 0, 0, 255, 255, 0, 0, 255, 255})))
		},
		"WAV": func() error {
			return second(ReadWAV(strings.NewReader("RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\x7f\x01\x00\x02\x00\x40\x1f\x00\x00")))
		},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := read()
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: there is no error", name)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > most {
			t.Errorf("%s: %d bytes were taken", name, got)
		}
	}
}

func whole(t *testing.T, a *nnkit.Tensor) {
	t.Helper()
	n := 1
	for _, d := range a.Shape() {
		n *= d
	}
	if n != a.Len() {
		t.Fatalf("the shape is %v and there are %d values", a.Shape(), a.Len())
	}
}

func FuzzNPY(f *testing.F) {
	f.Add(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }", 0, 0, 0, 0, 0, 0, 0, 0))
	f.Add(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", 7))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := ReadNPY(bytes.NewReader(b)); err == nil {
			whole(t, a)
		}
	})
}

func FuzzNPZ(f *testing.F) {
	b, err := os.ReadFile("testdata/arrays.npz")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[len(b)-200:])
	var small bytes.Buffer
	z := zip.NewWriter(&small)
	w, err := z.Create("a.npy")
	if err != nil {
		f.Fatal(err)
	}
	if err := errors.Join(second(w.Write(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", 7, 8))), z.Close()); err != nil {
		f.Fatal(err)
	}
	f.Add(small.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		arrays, err := ReadNPZ(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, a := range arrays {
			whole(t, a)
		}
	})
}

func FuzzIDX(f *testing.F) {
	f.Add([]byte{0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3})
	f.Add([]byte{0, 0, 0x0D, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := ReadIDX(bytes.NewReader(b)); err == nil {
			whole(t, a)
		}
	})
}

// A failing reader's error comes through.
func TestReadersTellOfTheirSource(t *testing.T) {
	broken := errors.New("the disk is broken")
	head := npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }")
	_, err := ReadNPY(io.MultiReader(bytes.NewReader(head), failing{broken}))
	if !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
