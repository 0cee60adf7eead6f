package main

import (
	"math"
	"slices"
	"strings"

	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// chains is how many partial results a reduction has, on every machine: element i goes to chain i mod 32, and in the
// end the upper half of the chains is folded onto the lower one until one is left.
const chains = 32

func reduce(f *file) {
	zero, infinite := float32(0), float32(math.Inf(-1))
	f.reduction("sum", "x", "", zero, (*kernel).add, func(k *kernel, at int, chain VecVirtual) VecVirtual {
		return k.add(chain, k.loadAt("x", at))
	})
	f.reduction("dot", "x y", "", zero, (*kernel).add, func(k *kernel, at int, chain VecVirtual) VecVirtual {
		return k.fma(k.loadAt("x", at), k.loadAt("y", at), chain)
	})
	f.reduction("largest", "x", "", infinite, (*kernel).most, func(k *kernel, at int, chain VecVirtual) VecVirtual {
		return k.most(k.only(k.loadAt("x", at), infinite), chain)
	})
}

// reduction writes a function for each machine. body returns the chain with the vector at an offset taken in; fold
// joins two chains, the upper one first.
func (f *file) reduction(name, arrays, scalars string, start float32, fold func(k *kernel, upper, lower Op) VecVirtual,
	body func(k *kernel, at int, chain VecVirtual) VecVirtual,
) {
	for _, m := range machines {
		k := f.begin(m, name, parameters{arrays: arrays, scalars: scalars, result: "result"})
		parts := k.chains(start)
		k.reduce(strings.Fields(arrays), func(i int) { k.VMOVAPS(body(k, i*m.bytes(), parts[i]), parts[i]) })
		k.Store(k.foldChains(parts, fold).AsX(), k.ReturnIndex(0))
		k.VZEROUPPER()
		k.RET()
	}
}

// chains returns vectors of all chains, each with the same number.
func (k *kernel) chains(start float32) []VecVirtual {
	parts := make([]VecVirtual, chains/k.lanes)
	for i := range parts {
		parts[i] = k.vector()
		k.VMOVUPS(k.constant(start), parts[i])
	}
	return parts
}

// reduce goes through arrays of one length, and calls take for each vector of the chains.
func (k *kernel) reduce(arrays []string, take func(i int)) {
	parts := chains / k.lanes
	k.Load(k.Param(arrays[0]).Len(), RCX)
	k.SUBQ(U32(chains), RCX)
	k.JL(LabelRef("tail"))
	k.Label("loop")
	for i := range parts {
		take(i)
	}
	for _, a := range arrays {
		k.ADDQ(U32(4*chains), k.pointers[a])
	}
	k.SUBQ(U32(chains), RCX)
	k.JGE(LabelRef("loop"))
	k.Label("tail")
	k.ADDQ(U32(chains), RCX)
	k.JZ(LabelRef("fold"))
	k.useLanes()
	for i := range parts {
		take(i)
		if i < parts-1 {
			k.nextLanes(i)
		}
	}
	k.Label("fold")
}

// nextLanes moves the mask from part i of the chains to the next.
func (k *kernel) nextLanes(i int) {
	if k.machine == avx512 {
		k.SHRQ(U8(16), RAX)
		k.KMOVW(EAX, K1)
		return
	}
	k.VMOVUPS(Mem{Base: RAX, Disp: (i + 1) * k.bytes()}, k.mask)
}

// only is v, and a number in lanes out of use.
func (k *kernel) only(v VecVirtual, other float32) VecVirtual {
	switch {
	case !k.masked:
		return v
	case k.machine == avx512 && other == 0:
		k.VMOVAPS_Z(v, k.mask, v)
	case k.machine == avx512:
		k.VBLENDMPS(v, k.copy(k.constant(other)), k.mask, v)
	case other == 0:
		return k.and(v, k.mask)
	default:
		k.VBLENDVPS(k.mask, v, k.copy(k.constant(other)), v)
	}
	return v
}

// loadOr is the vector of an array at an offset, and a number in lanes out of use.
func (k *kernel) loadOr(array string, offset int, other float32) VecVirtual {
	if k.masked && k.machine == avx512 {
		v := k.copy(k.constant(other))
		k.VMOVUPS(k.at(array, offset), k.mask, v)
		return v
	}
	return k.only(k.loadAt(array, offset), other)
}

// foldChains returns the result in the lowest lane. Parts that are nil hold nothing.
func (k *kernel) foldChains(parts []VecVirtual, fold func(k *kernel, upper, lower Op) VecVirtual) VecVirtual {
	parts = slices.Clone(parts)
	for n := len(parts) / 2; n > 0; n /= 2 {
		for i := range n {
			if parts[i+n] != nil {
				parts[i] = fold(k, parts[i+n], parts[i])
			}
		}
	}
	// The lower lanes are what counts from here on, so the same instructions do, whatever the vector's width.
	v := parts[0]
	if k.machine == avx512 {
		upper := k.vector()
		k.VEXTRACTF64X4(U8(1), v, upper.AsY())
		v = fold(k, upper, v)
	}
	upper := k.vector()
	k.VEXTRACTF128(U8(1), v.AsY(), upper.AsX())
	v = fold(k, upper, v)
	k.VPERMILPS(U8(0b1110), v.AsX(), upper.AsX())
	v = fold(k, upper, v)
	k.VPERMILPS(U8(0b01), v.AsX(), upper.AsX())
	v = fold(k, upper, v)
	return v
}
