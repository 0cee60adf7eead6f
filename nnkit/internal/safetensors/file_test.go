package safetensors

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"testing"
)

// text makes a file of a header and as many bytes of data.
func text(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	f := &File{
		Metadata: map[string]string{"model": "Dense(1, \"x\")\n", "": ""},
		Tensors: []Tensor{
			Float64("numbers", []float64{math.Pi, math.Inf(1), math.Copysign(0, -1)}),
			Float32("a/kernel", []int{2, 3}, []float32{1, -2, 3.5, 0, 1e-40, float32(math.Inf(-1))}),
			Float32("nothing", []int{0, 4}, nil),
			Float32("scalar", nil, []float32{7}),
		},
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	g, err := Parse(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(f.Metadata, g.Metadata) || len(g.Tensors) != len(f.Tensors) {
		t.Fatalf("%v is not %v", g, f)
	}
	for i, want := range f.Tensors {
		got := g.Tensors[i]
		if got.Name != want.Name || got.Type != want.Type || len(got.Shape) != len(want.Shape) || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%v is not %v", got, want)
		}
	}
}

func TestNarrowTypes(t *testing.T) {
	for _, c := range []struct {
		bits uint16
		want float32
	}{
		{0x3c00, 1},
		{0xc000, -2},
		{0x7bff, 65504},
		{0x0001, 1.0 / (1 << 24)},
		{0x0400, 1.0 / (1 << 14)},
		{0x7c00, float32(math.Inf(1))},
		{0x8000, float32(math.Copysign(0, -1))},
		{0x3555, 0.333251953125},
	} {
		x := Tensor{"x", F16, []int{1}, binary.LittleEndian.AppendUint16(nil, c.bits)}
		got, err := x.Float32()
		if err != nil || math.Float32bits(got[0]) != math.Float32bits(c.want) {
			t.Errorf("%#x is %v, %v, and should be %v", c.bits, got, err, c.want)
		}
	}
	x := Tensor{"x", BF16, []int{1}, []byte{0x49, 0x40}}
	if got, err := x.Float32(); err != nil || got[0] != 3.140625 {
		t.Errorf("got %v, %v", got, err)
	}
	x = Tensor{"x", "I64", nil, make([]byte, 8)}
	if _, err := x.Float32(); err == nil || !strings.Contains(err.Error(), "weights must be F32") {
		t.Errorf("got %v", err)
	}
}

func TestDamaged(t *testing.T) {
	const one = `"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "has 0 bytes"},
		{"huge header", append(bytes.Repeat([]byte{255}, 8), '{'), "should have 18446744073709551615 bytes, but 1 are left"},
		{"no header", text("", 0), "does not begin with a brace"},
		{"no object", text("[]", 0), "does not begin with a brace"},
		{"open", text(`{"a":`, 0), "unexpected EOF"},
		{"more", text("{}{}", 0), "behind its last brace"},
		{"cut off", text("{"+one+"}", 4), `"a" lies at 0 to 8, but there are 4 bytes of data`},
		{"too long", text("{"+one+"}", 9), "end at byte 8 of the data, which has 9"},
		{"twice", text("{"+one+","+one+"}", 8), `"a" is there twice`},
		{"overlapping", text("{"+one+","+strings.Replace(one, "a", "b", 1)+"}", 8), "overlap at byte 0"},
		{"hole", text("{"+strings.Replace(one, "[0,8]", "[4,12]", 1)+"}", 12), "bytes 0 to 4 of its data belong to no tensor"},
		{"other size", text("{"+strings.Replace(one, "[2]", "[3]", 1)+"}", 8), "which are 12 bytes"},
		{"huge shape", text("{"+strings.Replace(one, "[2]", "[4611686018427387904,4611686018427387904]", 1)+"}", 8), "too large for any file"},
		{"negative", text("{"+strings.Replace(one, "[2]", "[-2]", 1)+"}", 8), "where a whole number of at least 0 should be"},
		{"fraction", text("{"+strings.Replace(one, "[2]", "[2.0]", 1)+"}", 8), "where a whole number of at least 0 should be"},
		{"backwards", text("{"+strings.Replace(one, "[0,8]", "[8,0]", 1)+"}", 8), "lies at 8 to 0"},
		{"unknown type", text("{"+strings.Replace(one, "F32", "F33", 1)+"}", 8), `the unknown type "F33"`},
		{"no type", text(`{"a":{"shape":[2],"data_offsets":[0,8]}}`, 8), "must have a dtype"},
		{"more keys", text(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}`, 8), `has "x", which no tensor has`},
		{"metadata", text(`{"__metadata__":{"a":1}}`, 0), "where a text should be"},
		{"metadata twice", text(`{"__metadata__":{},"__metadata__":{}}`, 0), "metadata twice"},
	} {
		if _, err := Parse(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v does not say %q", c.name, err, c.want)
		}
	}
}

// No bytes make Parse panic, and what it reads lies in them.
func FuzzParse(f *testing.F) {
	whole := &File{Metadata: map[string]string{"k": "v"}, Tensors: []Tensor{Float32("a", []int{2}, []float32{1, 2}), Float64("b", []float64{3})}}
	var b bytes.Buffer
	if err := whole.Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(text(`{"a":{"dtype":"F16","shape":[],"data_offsets":[0,2]}}`, 2))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			return
		}
		total := 0
		for i := range file.Tensors {
			x := &file.Tensors[i]
			total += len(x.Data)
			if got, err := x.Float32(); err == nil && len(got) != x.Len() {
				t.Fatalf("%q has %d numbers, not %d", x.Name, len(got), x.Len())
			}
		}
		if total > len(data) {
			t.Fatalf("%d bytes of data are in a file of %d", total, len(data))
		}
		var b bytes.Buffer
		if err := file.Write(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(b.Bytes()); err != nil {
			t.Fatalf("what was read and written is not read again: %v", err)
		}
	})
}
