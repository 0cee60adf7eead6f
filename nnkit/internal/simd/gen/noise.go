package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The kernels of noise take whole groups of 64 numbers: 16 counters of Philox lie in the lanes, and word w of all comes
// before word w+1. ../noise.go is the specification.

const noiseLanes = 16

var philoxWords = "c0 c1 c2 c3 k0 k1"

func noise(f *file) {
	f.noise("dropout", "dst src", "rate factor", func(k *kernel, at [4]int, words [4]VecVirtual) {
		for i, w := range words {
			kept := k.choose(k.scalar("rate"), less, k.uniform(w), k.scalar("factor"), k.constant(0))
			k.storeAt("dst", at[i], k.multiply(k.loadAt("src", at[i]), kept))
		}
	})
	f.noise("fillUniform", "dst", "low span", func(k *kernel, at [4]int, words [4]VecVirtual) {
		for i, w := range words {
			k.storeAt("dst", at[i], k.fma(k.uniform(w), k.scalar("span"), k.scalar("low")))
		}
	})
	f.noise("fillNormal", "dst", "mean deviation", func(k *kernel, at [4]int, words [4]VecVirtual) {
		for i := 0; i < 4; i += 2 {
			length := k.sqrt(k.multiply(k.logNormal(k.uniform(words[i])), k.constant(-2)))
			cos, sin := k.turn(k.uniform(words[i+1]))
			k.storeAt("dst", at[i], k.fma(k.multiply(length, cos), k.scalar("deviation"), k.scalar("mean")))
			k.storeAt("dst", at[i+1], k.fma(k.multiply(length, sin), k.scalar("deviation"), k.scalar("mean")))
		}
	})
}

// noise writes a function for each machine that runs body for each counter of a group, with the words of its lanes and
// the offsets of their numbers.
func (f *file) noise(name, arrays, scalars string, body func(k *kernel, at [4]int, words [4]VecVirtual)) {
	for _, m := range machines {
		k := f.begin(m, name, parameters{arrays: arrays, words: philoxWords, scalars: scalars, inMemory: true})
		k.Load(k.Param("dst").Len(), RCX)
		if m == avx512 {
			k.MOVL(U32(0xaaaa), EAX)
			k.KMOVW(EAX, K3)
			k.KNOTW(K3, K4)
		}
		k.Label("group")
		for first := 0; first < noiseLanes; first += m.lanes {
			var at [4]int
			for w := range at {
				at[w] = 4 * (noiseLanes*w + first)
			}
			body(k, at, k.philox(first))
		}
		k.ADDL(U8(noiseLanes), k.parameter("c0"))
		for _, a := range strings.Fields(arrays) {
			k.ADDQ(U32(4*4*noiseLanes), k.pointers[a])
		}
		k.SUBQ(U8(4*noiseLanes), RCX)
		k.JNZ(LabelRef("group"))
		k.VZEROUPPER()
		k.RET()
	}
}

// philox returns the four words of the counters of lanes first to first+lanes-1.
func (k *kernel) philox(first int) [4]VecVirtual {
	numbers := k.table("numbers", noiseLanes, func(i int) uint32 { return uint32(i) })
	c := [4]VecVirtual{k.addInt(k.scalar("c0"), numbers.Offset(4*first)), k.scalar("c1"), k.scalar("c2"), k.scalar("c3")}
	key := [2]VecVirtual{k.scalar("k0"), k.scalar("k1")}
	for range 10 {
		high0, low0 := k.wideProduct(c[0], 0xD2511F53)
		high1, low1 := k.wideProduct(c[2], 0xCD9E8D57)
		c = [4]VecVirtual{k.xorBoth(high1, c[1], key[0]), low1, k.xorBoth(high0, c[3], key[1]), low0}
		key = [2]VecVirtual{k.addInt(key[0], k.bits(0x9E3779B9)), k.addInt(key[1], k.bits(0xBB67AE85))}
	}
	return c
}

// wideProduct is the upper and the lower half of the product of each lane with a number. There is an instruction for
// every other lane. With AVX-512 shifts would wait for the multiplications' port: shuffles have another one.
func (k *kernel) wideProduct(a VecVirtual, by uint32) (high, low VecVirtual) {
	even, odd := k.two(k.VPMULUDQ, a, k.bits(by)), k.vector()
	if k.machine == avx512 {
		k.VMOVSHDUP(a, odd)
		odd = k.two(k.VPMULUDQ, odd, k.bits(by))
		high = k.copy(odd)
		k.VMOVSHDUP(even, K4, high)
		k.VMOVSLDUP(odd, K3, even)
		return high, even
	}
	up, left := k.vector(), k.vector()
	k.VPSRLQ(U8(32), a, odd)
	odd = k.two(k.VPMULUDQ, odd, k.bits(by))
	k.VPSRLQ(U8(32), even, up)
	k.VPSLLQ(U8(32), odd, left)
	k.VPBLENDD(U8(0xaa), odd, up, up)
	k.VPBLENDD(U8(0xaa), left, even, even)
	return up, even
}

// xorBoth is a ^ b ^ c; a is used up.
func (k *kernel) xorBoth(a, b, c VecVirtual) VecVirtual {
	if k.machine == avx512 {
		k.VPTERNLOGD(U8(0x96), c, b, a)
		return a
	}
	return k.xor(k.xor(a, b), c)
}

// uniform is a number between 0 and 1 of a word's upper 23 bits.
func (k *kernel) uniform(word VecVirtual) VecVirtual {
	v := k.vector()
	k.VPSRLD(U8(9), word, v)
	k.VCVTDQ2PS(v, v)
	return k.fma(v, k.constant(0x1p-23), k.copy(k.constant(0x1p-24)))
}

var (
	sinSeries = []float32{-75.4, 81.59251, -41.341663, 6.2831855}
	cosSeries = []float32{59.244377, -85.4437, 64.93933, -19.739209, 1}
)

// turn is the cosine and the sine of u turns, u being between 0 and 1.
func (k *kernel) turn(u VecVirtual) (cos, sin VecVirtual) {
	shifted := k.fma(u, k.constant(4), k.copy(k.constant(nearestOf)))
	f := k.fmaNegative(k.subtract(shifted, k.constant(nearestOf)), k.constant(0.25), u)
	square := k.multiply(f, f)
	s, c := k.multiply(f, k.polynomial(square, sinSeries...)), k.polynomial(square, cosSeries...)
	odd := k.and(shifted, k.bits(1))
	k.VCVTDQ2PS(odd, odd)
	zero := k.constant(0)
	cos, sin = k.choose(odd, notEqual, zero, s, c), k.choose(odd, notEqual, zero, c, s)
	cos = k.xor(cos, k.shiftLeft(k.and(k.addInt(shifted, k.bits(1)), k.bits(2)), 30))
	return cos, k.xor(sin, k.shiftLeft(k.and(shifted, k.bits(2)), 30))
}
