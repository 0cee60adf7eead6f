package simd

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

func normals(n, stream int) []float32 {
	s := random.Stream{Seed: 9, Index: uint32(stream)}
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(s.Normal(i))
	}
	return x
}

// wild are numbers of all kinds: ordinary, small whole, tiny, huge, zeros, infinities, NaN.
func wild(n, stream int) []float32 {
	s := random.Stream{Seed: 10, Index: uint32(stream)}
	x := normals(n, stream)
	for i := range x {
		switch s.Int(i, 16) {
		case 0:
			x[i] = float32(s.Int(i+n, 9) - 4)
		case 1:
			x[i] *= 1e-22
		case 2:
			x[i] *= 0x1p-130
		case 3:
			x[i] *= 1e20
		case 4:
			x[i] = float32(math.Copysign(0, float64(x[i])))
		case 5:
			special := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat32, 0x1p-149, 88.7, -104, 1}
			x[i] = float32(special[s.Int(i+n, len(special))])
		}
	}
	return x
}

// fewer is how often a test tries something at random: less often in short runs, those of emulated machines.
func fewer(n int) int {
	if testing.Short() {
		return n / 8
	}
	return n
}

// sameBits says whether two numbers are the same to the bit; one NaN is as good as another.
func sameBits(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// scalars are what kernels get for those of their arguments that are no arrays, each by its place.
var scalars = []float32{0, 0, 0.1, 0.9, 0.25, 0.999, 0.001, 1e-7, 0.99, 0.5, 0.7, 0.3, 0.98, 0.97}

// plain are the fields of kernels whose arrays all have one length and whose other arguments are float32, any numbers:
// what call can call. The others are in otherCases. The last field, peak, is none of them.
func plain() (fields []int) {
	all := reflect.TypeFor[kernels]()
	for f := range all.NumField() - 1 {
		kernel, ok := all.Field(f).Type, !slices.Contains([]string{"expSum", "expTotal", "logSoftmaxGradient"}, all.Field(f).Name)
		for in := range kernel.Ins() {
			ok = ok && (in == reflect.TypeFor[[]float32]() || in.Kind() == reflect.Float32)
		}
		if ok {
			fields = append(fields, f)
		}
	}
	return fields
}

// call runs a kernel, and returns what it returned and then all arrays.
func call(k *kernels, field int, arrays [][]float32) (out []float32) {
	f := reflect.ValueOf(k).Elem().Field(field)
	kernel := reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem() // the field is not exported
	var in []reflect.Value
	for i := range kernel.Type().NumIn() {
		if kernel.Type().In(i).Kind() == reflect.Slice {
			in = append(in, reflect.ValueOf(arrays[i]))
		} else {
			in = append(in, reflect.ValueOf(scalars[i]))
		}
	}
	for _, r := range kernel.Call(in) {
		out = append(out, float32(r.Float()))
	}
	for i := range in {
		if in[i].Kind() == reflect.Slice {
			out = append(out, arrays[i]...)
		}
	}
	return out
}

// What the Go loops give is the same on every machine: run this test on another architecture, too. The hash may change
// when the arithmetic is improved, and then only in a commit that says so.
func TestSameBitsOnEveryMachine(t *testing.T) {
	const want = "8a8ce3a9a55cc9b9"
	sum := sha256.New()
	take := func(numbers []float32) {
		for _, v := range numbers {
			if v != v {
				v = float32(math.NaN())
			}
			binary.Write(sum, binary.LittleEndian, v)
		}
	}
	var arrays [][]float32
	for a := range 8 {
		arrays = append(arrays, wild(999, a+1))
	}
	for _, f := range plain() {
		own := make([][]float32, len(arrays))
		for a, x := range arrays {
			own[a] = slices.Clone(x)
		}
		take(call(portable.kernels, f, own))
	}
	for _, c := range otherCases() {
		for _, array := range c.run(portable.kernels, func(n, stream int) []float32 { return wild(n, stream) }, 13, 77) {
			take(array)
		}
	}
	if got := fmt.Sprintf("%x", sum.Sum(nil)[:8]); got != want {
		t.Errorf("the hash is %s, want %s", got, want)
	}
}

// Every kernel of every set gives the bits of the Go loop of its name, at every length, from an unaligned start, and
// touches nothing in front of or behind its arrays: each ends, or begins, where memory ends.
func TestKernelsAgree(t *testing.T) {
	const most = 131
	var guards [8]*guard // as many as a kernel has arrays at most
	for i := range guards {
		guards[i] = newGuard(t, 4*most)
	}
	fields := reflect.TypeFor[kernels]()
	for _, set := range sets[:len(sets)-1] {
		for _, f := range plain() {
			name := fields.Field(f).Name
			for n := range most {
				for _, atEnd := range []bool{true, false} {
					var own, theirs [][]float32
					for a, g := range guards {
						x := wild(n, 7*n+a)
						if slices.ContainsFunc([]string{"rms", "ada", "ams", "nAdam", "centred"}, func(s string) bool { return strings.HasPrefix(name, s) }) {
							if a > 1 { // means of squares
								for i := range x {
									x[i] = float32(math.Abs(float64(x[i])))
								}
							}
						}
						at := g.begin(n)
						if atEnd {
							at = g.end(n)
						}
						copy(at, x)
						own, theirs = append(own, at), append(theirs, x)
					}
					got, want := call(set.kernels, f, own), call(portable.kernels, f, theirs)
					for i := range want {
						if !sameBits(got[i], want[i]) {
							t.Fatalf("%s of %s, length %d: number %d is %v (%x), want %v (%x)", name, set, n, i,
								got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
						}
					}
				}
			}
		}
	}
}

func TestFind(t *testing.T) {
	for _, s := range Sets() {
		if got, err := Find(fmt.Sprint(s)); got != s || err != nil {
			t.Errorf("Find(%v) is %v, %v", s, got, err)
		}
	}
	if _, err := Find("sse"); err == nil || !strings.Contains(err.Error(), `no kernels "sse"`) {
		t.Errorf("the error is %v", err)
	}
}
