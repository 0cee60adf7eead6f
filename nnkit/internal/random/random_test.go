package random

import (
	"math"
	"slices"
	"testing"
)

// The known answers of the authors' Random123 1.14, tests/kat_vectors.
func TestPhilox(t *testing.T) {
	for _, test := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{
			[4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
			[2]uint32{0xffffffff, 0xffffffff},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		},
		{
			[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
			[2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	} {
		if got := Philox(test.counter, test.key); got != test.want {
			t.Errorf("Philox(%x, %x) = %x, want %x", test.counter, test.key, got, test.want)
		}
	}
}

func TestPermutation(t *testing.T) {
	for _, n := range []int{0, 1, 2, 7, 1000} {
		p := make([]int32, n)
		Stream{Seed: 5}.Permutation(p)
		sorted := slices.Clone(p)
		slices.Sort(sorted)
		for i, v := range sorted {
			if int(v) != i {
				t.Fatalf("n = %d: not a permutation", n)
			}
		}
	}
	// Every one of the six orders of three should come up about a sixth of the time.
	count := map[[3]int32]int{}
	for seed := range 6000 {
		var p [3]int32
		Stream{Seed: uint64(seed)}.Permutation(p[:])
		count[p]++
	}
	for p, n := range count {
		if len(count) != 6 || n < 880 || n > 1120 {
			t.Errorf("order %v came up %d times of 6000", p, n)
		}
	}
}

func TestMoments(t *testing.T) {
	s := Stream{Seed: 3, Purpose: Data}
	const n = 200_000
	var mean, square, uniform float64
	for i := range n {
		x := s.Normal(i)
		mean += x
		square += x * x
		uniform += s.Uniform(i)
	}
	if mean /= n; math.Abs(mean) > 0.01 {
		t.Errorf("the normal numbers' mean is %v", mean)
	}
	if square /= n; math.Abs(square-1) > 0.02 {
		t.Errorf("the normal numbers' mean square is %v", square)
	}
	if uniform /= n; math.Abs(uniform-0.5) > 0.005 {
		t.Errorf("the uniform numbers' mean is %v", uniform)
	}
}

func TestQuantile(t *testing.T) {
	for p := 1e-9; p < 1; p += 0.00137 {
		if got := 0.5 * math.Erfc(-Quantile(p)/math.Sqrt2); math.Abs(got-p) > 1e-8*p+1e-12 {
			t.Errorf("the distribution function of Quantile(%v) is %v", p, got)
		}
	}
}
