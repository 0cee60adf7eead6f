package main

import (
	"fmt"
	"math"
	"strings"

	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The kernels of rows take many rows in a call, each from its own stride on: short rows would be slow one by one. The
// arrays' pointers stand at the beginnings of the present rows, DX says how far into them in bytes, CX counts down, BX
// counts the rows.

var strideRegisters = []GPPhysical{R11, R12, R13, R10}

// rowwise writes a function for each machine that runs body for each row. Its arrays have a stride each, the parameter
// xRow of an array x, in elements; columns are arrays with one number a row, whose step may be 0.
func (f *file) rowwise(name string, p parameters, strided string, body func(*kernel)) {
	for _, m := range machines {
		own := p
		own.integers = "rows width"
		for _, a := range strings.Fields(strided) {
			own.integers += " " + a + "Row"
		}
		own.integers = strings.TrimSpace(own.integers + " " + p.integers)
		k := f.begin(m, name, own)
		k.index = RDX
		k.Load(k.Param("rows"), RBX)
		strides := map[string]GPPhysical{}
		for i, a := range strings.Fields(strided) {
			strides[a] = strideRegisters[i]
			k.Load(k.Param(a+"Row"), strides[a])
			k.SHLQ(U8(2), strides[a])
		}
		k.Label("row")
		body(k)
		for _, a := range strings.Fields(strided) {
			k.ADDQ(strides[a], k.pointers[a])
		}
		k.DECQ(RBX)
		k.JNZ(LabelRef("row"))
		k.VZEROUPPER()
		k.RET()
	}
}

// across runs take for each vector of the next CX elements of the present row, the last of which may be used in part.
func (k *kernel) across(label string, take func()) {
	k.SUBQ(U32(uint32(k.lanes)), RCX)
	k.JL(LabelRef(label + "tail"))
	k.Label(label)
	take()
	k.ADDQ(U32(uint32(k.bytes())), RDX)
	k.SUBQ(U32(uint32(k.lanes)), RCX)
	k.JGE(LabelRef(label))
	k.Label(label + "tail")
	k.ADDQ(U32(uint32(k.lanes)), RCX)
	k.JZ(LabelRef(label + "end"))
	k.useLanes()
	take()
	k.masked = false
	k.Label(label + "end")
}

// inChains reduces the next CX elements of the present row by chains, and returns the result in the lowest lane. take
// returns the chain with the vector at an offset taken in.
func (k *kernel) inChains(label string, start float32, fold func(k *kernel, upper, lower Op) VecVirtual,
	take func(at int, chain VecVirtual) VecVirtual,
) VecVirtual {
	parts := make([]VecVirtual, chains/k.lanes)
	for i := range parts {
		parts[i] = k.vector()
		k.VMOVUPS(k.constant(start), parts[i])
	}
	next := func(i int) { k.VMOVAPS(take(i*k.bytes(), parts[i]), parts[i]) }
	k.SUBQ(U32(chains), RCX)
	k.JL(LabelRef(label + "tail"))
	k.Label(label)
	for i := range parts {
		next(i)
	}
	k.ADDQ(U32(4*chains), RDX)
	k.SUBQ(U32(chains), RCX)
	k.JGE(LabelRef(label))
	k.Label(label + "tail")
	k.ADDQ(U32(chains), RCX)
	k.JZ(LabelRef(label + "fold"))
	k.useLanes()
	for i := range parts {
		next(i)
		if i < len(parts)-1 {
			// Without a lane in use the next vector is passed over: rows of ten are common.
			inUse := (i + 1) * k.lanes
			if k.machine == avx2 {
				inUse *= 4 // useLanes has multiplied CX
			}
			k.CMPQ(RCX, U32(uint32(inUse)))
			k.JLE(LabelRef(label + "fold"))
			k.nextLanes(i)
		}
	}
	k.masked = false
	k.Label(label + "fold")
	return k.foldChains(parts, fold)
}

// everywhere is the lowest lane of v in all lanes.
func (k *kernel) everywhere(v VecVirtual) VecVirtual {
	all := k.vector()
	k.VBROADCASTSS(v.AsX(), all)
	return all
}

func rows(f *file) {
	f.softmax()
	f.rowwise("sumRows", parameters{arrays: "dst src"}, "src", func(k *kernel) {
		k.wholeRow()
		sum := k.inChains("sum", 0, (*kernel).add, func(at int, chain VecVirtual) VecVirtual {
			return k.add(chain, k.loadAt("src", at))
		})
		k.VMOVSS(sum.AsX(), Mem{Base: k.pointers["dst"]})
		k.ADDQ(U8(4), k.pointers["dst"])
	})
}

// wholeRow begins a pass over a row.
func (k *kernel) wholeRow() {
	k.XORL(EDX, EDX)
	k.MOVQ(k.parameter("width"), RCX)
}

func (f *file) softmax() {
	f.elementwise("scaleAdd", "dst src term", "factor", func(k *kernel) {
		k.store("dst", k.fma(k.load("src"), k.scalar("factor"), k.load("term")))
	})
	f.reduction("expSum", "dst src", "top", 0, (*kernel).add, func(k *kernel, at int, chain VecVirtual) VecVirtual {
		e := k.expBelow(k.subtract(k.loadAt("src", at), k.scalar("top")))
		k.storeAt("dst", at, e)
		return k.add(chain, k.only(e, 0))
	})
	f.reduction("expTotal", "src", "top", 0, (*kernel).add, func(k *kernel, at int, chain VecVirtual) VecVirtual {
		return k.add(chain, k.only(k.expBelow(k.subtract(k.loadAt("src", at), k.scalar("top"))), 0))
	})
	p := parameters{arrays: "dst src mask stats", integers: "seen grow", scalars: "scale least"}
	f.rowwise("softmaxRows", p, "dst src mask", func(k *kernel) {
		top := k.seenMost()
		sum := k.expSum(top, true)
		k.keep("", top, sum)
		factor := k.inverse(sum)
		k.seenPart()
		k.across("divide", func() { k.store("dst", k.multiply(k.load("dst"), factor)) })
		k.beyond(0)
	})
	f.rowwise("softmaxNarrow", p, "dst src mask", func(k *kernel) {
		for vectors := 1; vectors <= narrow/k.lanes; vectors *= 2 {
			if 2*vectors <= narrow/k.lanes {
				k.CMPQ(k.parameter("width"), U32(uint32(vectors*k.lanes)))
				k.JG(LabelRef(fmt.Sprintf("above%d", vectors)))
			}
			k.narrowSoftmax(vectors)
			k.JMP(LabelRef("done"))
			k.Label(fmt.Sprintf("above%d", vectors))
		}
		k.Label("done")
		k.grow()
	})
	f.rowwise("logSoftmaxRows", p, "dst src mask", func(k *kernel) {
		top := k.seenMost()
		sum := k.expSum(top, false)
		k.keep("", top, sum)
		least := k.everywhere(k.log(sum))
		k.seenPart()
		k.across("shift", func() {
			k.store("dst", k.subtract(k.subtract(k.load("dst"), top), least))
		})
		k.beyond(float32(math.Inf(-1)))
	})
	f.rowwise("softmaxGradientRows", parameters{arrays: "dy y", scalars: "scale"}, "dy y", func(k *kernel) {
		k.wholeRow()
		dot := k.everywhere(k.inChains("dot", 0, (*kernel).add, func(at int, chain VecVirtual) VecVirtual {
			return k.fma(k.loadAt("dy", at), k.loadAt("y", at), chain)
		}))
		k.wholeRow()
		k.across("apply", func() {
			k.store("dy", k.multiply(k.multiply(k.load("y"), k.subtract(k.load("dy"), dot)), k.scalar("scale")))
		})
	})
	f.elementwise("softmaxGradient", "dy y", "sum scale", func(k *kernel) {
		k.store("dy", k.multiply(k.multiply(k.load("y"), k.subtract(k.load("dy"), k.scalar("sum"))), k.scalar("scale")))
	})
	f.elementwise("logSoftmaxGradient", "dy y", "sum", func(k *kernel) {
		k.store("dy", k.fmaNegative(k.expBelow(k.load("y")), k.scalar("sum"), k.load("dy")))
	})
	f.rowwise("logSoftmaxGradientRows", parameters{arrays: "dy y"}, "dy y", func(k *kernel) {
		k.wholeRow()
		sum := k.everywhere(k.inChains("sum", 0, (*kernel).add, func(at int, chain VecVirtual) VecVirtual {
			return k.add(chain, k.loadAt("dy", at))
		}))
		k.wholeRow()
		k.across("apply", func() {
			k.store("dy", k.fmaNegative(k.expBelow(k.load("y")), sum, k.load("dy")))
		})
	})
}

// narrowSoftmax is softmaxRows for a row of at most so many vectors.
func (k *kernel) narrowSoftmax(vectors int) {
	label := fmt.Sprintf("v%d", vectors)
	infinite := float32(math.Inf(-1))
	k.seenPart()
	seen := k.masks(RAX, vectors, true)
	defer func() { k.masked = false }()
	z := make([]VecVirtual, vectors)
	for i := range z {
		seen(i)
		z[i] = k.multiply(k.loadOr("src", i*k.bytes(), infinite), k.scalar("scale"))
	}
	k.TESTQ(k.pointers["mask"], k.pointers["mask"])
	k.JZ(LabelRef(label + "open"))
	for i := range z {
		seen(i)
		k.VMOVUPS(k.loadOr("src", i*k.bytes(), infinite), z[i])
		k.VFMADD213PS(k.loadAt("mask", i*k.bytes()), k.scalar("scale"), z[i])
	}
	k.Label(label + "open")
	top := k.most(k.everywhere(k.reduced(z, infinite, (*kernel).most)), k.scalar("least"))
	for i := range z {
		z[i] = k.expBelow(k.subtract(z[i], top))
	}
	sum := k.reduced(z, 0, (*kernel).add)
	k.keep(label, top, sum)
	factor := k.inverse(sum)
	k.wholeRow()
	inRow := k.masks(R10, vectors, false)
	for i := range z {
		seen(i)
		y := k.only(k.multiply(z[i], factor), 0) // what is not seen is 0 times NaN where the sum is NaN
		inRow(i)
		k.storeAt("dst", i*k.bytes(), y)
	}
}

// masks returns what masks the first CX numbers of a row in a vector of it. The register walks through the row's masks.
func (k *kernel) masks(register GPPhysical, vectors int, keep bool) func(vector int) {
	k.masked = true
	if k.machine == avx2 {
		k.LEAQ(k.lanesInUse().Offset(4*narrow), register)
		k.SHLQ(U8(2), RCX)
		k.SUBQ(RCX, register)
		return func(i int) {
			mask := k.vector()
			k.VMOVUPS(Mem{Base: register, Disp: i * k.bytes()}, mask)
			k.mask = mask
		}
	}
	next := func(mask Register) {
		k.KMOVW(register.As32(), mask)
		k.SHRQ(U8(16), register)
	}
	k.MOVQ(I32(-1), register)
	k.BZHIQ(RCX, register, register)
	if !keep {
		return func(int) {
			next(K1)
			k.mask = K1
		}
	}
	kept := []Register{K3, K4, K5, K6}
	for i := range vectors {
		next(kept[i])
	}
	return func(i int) { k.mask = kept[i] }
}

// reduced folds the vectors of a row as inChains does.
func (k *kernel) reduced(row []VecVirtual, start float32, fold func(k *kernel, upper, lower Op) VecVirtual) VecVirtual {
	parts := make([]VecVirtual, chains/k.lanes)
	for i, v := range row {
		if i < len(parts) {
			parts[i] = fold(k, v, k.constant(start))
		} else {
			k.VMOVAPS(fold(k, v, parts[i%len(parts)]), parts[i%len(parts)])
		}
	}
	return k.foldChains(parts, fold)
}

// inverse is 1/sum in all lanes, and 0 for the sum of a row that sees nothing.
func (k *kernel) inverse(sum VecVirtual) VecVirtual {
	inverse, zero := k.vector().AsX(), k.vector().AsX()
	k.VMOVSS(k.constant(1), inverse)
	k.VDIVSS(sum.AsX(), inverse, inverse)
	k.VXORPS(zero, zero, zero)
	k.VCMPSS(U8(equal), zero, sum.AsX(), zero)
	k.VANDNPS(inverse, zero, inverse)
	all := k.vector()
	k.VBROADCASTSS(inverse, all)
	return all
}

// seenPart begins a pass over the part of a row that is seen, the parameter seen, which grows by grow a row.
func (k *kernel) seenPart() {
	k.wholeRow()
	k.MOVQ(k.parameter("seen"), RAX)
	k.CMPQ(RAX, RCX)
	k.CMOVQLT(RAX, RCX)
	k.TESTQ(RCX, RCX)
	k.CMOVQLT(RDX, RCX)
}

// seenMost writes the scaled and masked numbers of a row to dst, and returns the largest of them.
func (k *kernel) seenMost() VecVirtual {
	infinite := float32(math.Inf(-1))
	largest := k.vector()
	pass := func(label string, term func(x VecVirtual, at int) VecVirtual) {
		k.seenPart()
		k.VMOVAPS(k.inChains(label, infinite, (*kernel).most, func(at int, chain VecVirtual) VecVirtual {
			z := term(k.loadAt("src", at), at)
			k.storeAt("dst", at, z)
			return k.most(k.only(z, infinite), chain)
		}), largest)
	}
	k.TESTQ(k.pointers["mask"], k.pointers["mask"])
	k.JZ(LabelRef("open"))
	pass("masked", func(x VecVirtual, at int) VecVirtual { return k.fma(x, k.scalar("scale"), k.loadAt("mask", at)) })
	k.JMP(LabelRef("topped"))
	k.Label("open")
	pass("scaled", func(x VecVirtual, _ int) VecVirtual { return k.multiply(x, k.scalar("scale")) })
	k.Label("topped")
	return k.most(k.everywhere(largest), k.scalar("least"))
}

// expSum returns the sum of exp(z - top) over a row of dst, and leaves the exponentials there if wanted.
func (k *kernel) expSum(top VecVirtual, store bool) VecVirtual {
	k.seenPart()
	return k.inChains("exp", 0, (*kernel).add, func(at int, chain VecVirtual) VecVirtual {
		e := k.expBelow(k.subtract(k.loadAt("dst", at), top))
		if store {
			k.storeAt("dst", at, e)
		}
		return k.add(chain, k.only(e, 0))
	})
}

// keep writes the statistics of a row if they are wanted.
func (k *kernel) keep(label string, top, sum VecVirtual) {
	stats := k.pointers["stats"]
	k.TESTQ(stats, stats)
	k.JZ(LabelRef(label + "kept"))
	k.VMOVSS(top.AsX(), Mem{Base: stats})
	k.VMOVSS(sum.AsX(), Mem{Base: stats, Disp: 4})
	k.ADDQ(U8(8), stats)
	k.Label(label + "kept")
}

// beyond sets what a row does not see, and ends the row.
func (k *kernel) beyond(number float32) {
	k.seenPart()
	k.MOVQ(RCX, RDX)
	k.MOVQ(k.parameter("width"), RCX)
	k.SUBQ(RDX, RCX)
	k.JZ(LabelRef("whole"))
	k.SHLQ(U8(2), RDX)
	fill := k.copy(k.constant(number))
	k.across("fill", func() { k.store("dst", fill) })
	k.Label("whole")
	k.grow()
}

// grow has the next row see more.
func (k *kernel) grow() {
	k.MOVQ(k.parameter("grow"), RAX)
	k.ADDQ(RAX, k.parameter("seen"))
}

// twoSeries are the coefficients of (2^f-1)/f; ../softmax.go says more.
var twoSeries = []float32{
	0.00015353154, 0.0013399133, 0.00961844, 0.05550332, 0.24022648, 0.6931472, 1,
}

// expBelow is exp(x) for x up to 0, and 0 below -87.
func (k *kernel) expBelow(x VecVirtual) VecVirtual {
	shifted, f := k.copy(k.constant(nearestOf)), k.copy(k.constant(math.Log2E))
	k.VFMADD231PS(f, x, shifted)
	n := k.subtract(shifted, k.constant(nearestOf))
	k.VFMSUB213PS(n, x, f)
	p := k.polynomial(f, twoSeries...)
	v := k.vector()
	if k.machine == avx512 {
		k.VCMPPS(U8(notLess), k.constant(-87), x, K2)
		k.VSCALEFPS_Z(n, p, K2, v)
		return v
	}
	y := k.multiply(p, k.addInt(k.shiftLeft(shifted, 23), k.bits(127<<23)))
	k.VCMPPS(U8(notLess), k.constant(-87), x, v)
	return k.and(y, v)
}
