package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// kernel is a function on arrays of one length in the making. Its methods name what is done to a vector of lanes, and
// write the instructions of its machine.
type kernel struct {
	*file
	machine
	pointers map[string]GPPhysical
	scalars  map[string]VecVirtual
	index    Register // what the pointers are off by in bytes; nil if they move themselves
	masked   bool
	mask     Register // of the lanes in use, when masked
}

// constant is a vector of the same number in all lanes, in memory.
func (f *file) constant(v float32) Mem { return f.bits(math.Float32bits(v)) }

func (f *file) bits(u uint32) Mem {
	return f.table(fmt.Sprintf("all%08x", u), 16, func(int) uint32 { return u })
}

// narrow is the most numbers of a row that may be masked, or stay in registers from beginning to end.
const narrow = 64

// lanesInUse is a table in which any number of lanes up to narrow is masked: from 4·(narrow-n) bytes on, the first n lanes
// have all bits.
func (f *file) lanesInUse() Mem {
	return f.table("lanesInUse", 2*narrow, func(i int) uint32 {
		if i < narrow {
			return math.MaxUint32
		}
		return 0
	})
}

// table is constant memory of n words. It is a symbol of the file alone, which is reached without the table of global
// offsets; that would cost R15 in a library.
func (f *file) table(name string, n int, word func(i int) uint32) Mem {
	if !f.symbols[name] {
		f.symbols[name] = true
		f.StaticGlobal(name)
		f.DataAttributes(attr.NOPTR | attr.RODATA)
		for i := 0; i < n; i += 2 {
			f.AddDatum(4*i, U64(uint64(word(i+1))<<32|uint64(word(i))))
		}
	}
	return NewDataAddr(Symbol{Name: name, Static: true}, 0)
}

func (k *kernel) vector() VecVirtual {
	if k.machine == avx512 {
		return k.ZMM()
	}
	return k.YMM()
}

// parameters is what a function takes and returns, by kind: its arrays first.
type parameters struct {
	arrays, integers, words, scalars string // names with spaces between them
	result                           string
	inMemory                         bool // the scalars have no registers, but are loaded when needed
}

// String returns the parameters as Go writes them.
func (p parameters) String() string {
	var kinds []string
	for _, kind := range [][2]string{{p.arrays, "[]float32"}, {p.integers, "int"}, {p.words, "uint32"}, {p.scalars, "float32"}} {
		if names := strings.Fields(kind[0]); len(names) > 0 {
			kinds = append(kinds, strings.Join(names, ", ")+" "+kind[1])
		}
	}
	text := "(" + strings.Join(kinds, ", ") + ")"
	if p.result != "" {
		text += " (" + p.result + " float32)"
	}
	return text
}

// begin writes the head of a function: pointers to its arrays, scalars in all lanes of a register each.
func (f *file) begin(m machine, name string, p parameters) *kernel {
	k := &kernel{file: f, machine: m, pointers: map[string]GPPhysical{}, scalars: map[string]VecVirtual{}}
	f.function(name+m.name, "func"+p.String())
	f.declarations.declare(name+m.name, p.String())
	f.declarations.enter(m, name, name+m.name)
	registers := []GPPhysical{RDI, RSI, R8, R9, R10, R11, R12, R13}
	for i, a := range strings.Fields(p.arrays) {
		k.pointers[a] = registers[i]
		k.Load(k.Param(a).Base(), registers[i])
	}
	for _, s := range strings.Fields(p.scalars) {
		if !p.inMemory {
			k.scalars[s] = k.scalar(s)
		}
	}
	return k
}

// parameter is where a parameter lies in memory.
func (k *kernel) parameter(name string) Mem {
	from, err := k.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return from.Addr
}

// elementwise writes a function for each machine that runs body for each vector of elements, the last of which may be
// used in part.
func (f *file) elementwise(name, arrays, scalars string, body func(*kernel)) {
	for _, m := range machines {
		k := f.begin(m, name, parameters{arrays: arrays, scalars: scalars})
		k.Load(k.Param(strings.Fields(arrays)[0]).Len(), RCX)
		k.SUBQ(U32(uint32(m.lanes)), RCX)
		k.JL(LabelRef("tail"))
		k.Label("loop")
		body(k)
		for _, a := range strings.Fields(arrays) {
			k.ADDQ(U32(uint32(m.bytes())), k.pointers[a])
		}
		k.SUBQ(U32(uint32(m.lanes)), RCX)
		k.JGE(LabelRef("loop"))
		k.Label("tail")
		k.ADDQ(U32(uint32(m.lanes)), RCX)
		k.JZ(LabelRef("done"))
		k.useLanes()
		body(k)
		k.Label("done")
		k.VZEROUPPER()
		k.RET()
	}
}

// useLanes masks the first CX lanes.
func (k *kernel) useLanes() {
	k.masked = true
	if k.machine == avx512 {
		k.MOVQ(U32(1), RAX)
		k.SHLQ(CL, RAX)
		k.DECQ(RAX)
		k.KMOVW(EAX, K1)
		k.mask = K1
		return
	}
	mask := k.vector()
	k.mask = mask
	k.LEAQ(k.lanesInUse().Offset(4*narrow), RAX)
	k.SHLQ(U8(2), RCX)
	k.SUBQ(RCX, RAX)
	k.VMOVUPS(Mem{Base: RAX}, mask)
}

// load returns the present vector of an array, with zeros in lanes out of use.
func (k *kernel) load(array string) VecVirtual { return k.loadAt(array, 0) }

func (k *kernel) loadAt(array string, offset int) VecVirtual {
	v, from := k.vector(), k.at(array, offset)
	switch {
	case !k.masked:
		k.VMOVUPS(from, v)
	case k.machine == avx512:
		k.VMOVUPS_Z(from, k.mask, v)
	default:
		k.VMASKMOVPS(from, k.mask, v)
	}
	return v
}

// at is where the present vector of an array begins, and an offset further.
func (k *kernel) at(array string, offset int) Mem {
	at := Mem{Base: k.pointers[array], Disp: offset}
	if k.index != nil {
		at.Index, at.Scale = k.index, 1
	}
	return at
}

func (k *kernel) store(array string, v VecVirtual) { k.storeAt(array, 0, v) }

func (k *kernel) storeAt(array string, offset int, v VecVirtual) {
	to := k.at(array, offset)
	switch {
	case !k.masked:
		k.VMOVUPS(v, to)
	case k.machine == avx512:
		k.VMOVUPS(v, k.mask, to)
	default:
		k.VMASKMOVPS(v, k.mask, to)
	}
}

// scalar is a parameter in all lanes.
func (k *kernel) scalar(name string) VecVirtual {
	if v, ok := k.scalars[name]; ok {
		return v
	}
	v := k.vector()
	k.VBROADCASTSS(k.parameter(name), v)
	return v
}

// inRegister returns x, loaded if it is a constant in memory.
func (k *kernel) inRegister(x Op) VecVirtual {
	if r, ok := x.(VecVirtual); ok {
		return r
	}
	v := k.vector()
	k.VMOVUPS(x, v)
	return v
}

func (k *kernel) copy(x Op) VecVirtual {
	v := k.vector()
	k.VMOVUPS(x, v)
	return v
}

// two writes an instruction dst = a · b, of which b may be in memory.
func (k *kernel) two(instruction func(...Op), a, b Op) VecVirtual {
	v := k.vector()
	instruction(b, k.inRegister(a), v)
	return v
}

func (k *kernel) add(a, b Op) VecVirtual      { return k.two(k.VADDPS, a, b) }
func (k *kernel) subtract(a, b Op) VecVirtual { return k.two(k.VSUBPS, a, b) }
func (k *kernel) multiply(a, b Op) VecVirtual { return k.two(k.VMULPS, a, b) }
func (k *kernel) divide(a, b Op) VecVirtual   { return k.two(k.VDIVPS, a, b) }
func (k *kernel) and(a, b Op) VecVirtual      { return k.two(k.VANDPS, a, b) }
func (k *kernel) or(a, b Op) VecVirtual       { return k.two(k.VORPS, a, b) }
func (k *kernel) xor(a, b Op) VecVirtual      { return k.two(k.VXORPS, a, b) }
func (k *kernel) addInt(a, b Op) VecVirtual   { return k.two(k.VPADDD, a, b) }
func (k *kernel) subInt(a, b Op) VecVirtual   { return k.two(k.VPSUBD, a, b) }

// least is a where a < b, else b; so a NaN in b stays. most is its mirror image.
func (k *kernel) least(a, b Op) VecVirtual { return k.two(k.VMINPS, a, b) }
func (k *kernel) most(a, b Op) VecVirtual  { return k.two(k.VMAXPS, a, b) }

func (k *kernel) sqrt(a VecVirtual) VecVirtual {
	v := k.vector()
	k.VSQRTPS(a, v)
	return v
}

func (k *kernel) shiftLeft(a VecVirtual, n uint8) VecVirtual {
	v := k.vector()
	k.VPSLLD(U8(n), a, v)
	return v
}

// shiftRight keeps the sign.
func (k *kernel) shiftRight(a VecVirtual, n uint8) VecVirtual {
	v := k.vector()
	k.VPSRAD(U8(n), a, v)
	return v
}

// fma is a·b + c, rounded once. One of b and c may be in memory.
func (k *kernel) fma(a VecVirtual, b, c Op) VecVirtual {
	if _, ok := c.(VecVirtual); !ok {
		v := k.copy(a)
		k.VFMADD213PS(c, k.inRegister(b), v)
		return v
	}
	v := k.copy(c)
	k.VFMADD231PS(b, a, v)
	return v
}

// fmaNegative is c - a·b, rounded once.
func (k *kernel) fmaNegative(a VecVirtual, b, c Op) VecVirtual {
	v := k.copy(c)
	k.VFNMADD231PS(b, a, v)
	return v
}

// fmaMinus is a·b - c, rounded once.
func (k *kernel) fmaMinus(a VecVirtual, b Op, c VecVirtual) VecVirtual {
	v := k.copy(a)
	k.VFMSUB213PS(c, k.inRegister(b), v)
	return v
}

// polynomial is Horner's scheme, the highest power first.
func (k *kernel) polynomial(x VecVirtual, coefficients ...float32) VecVirtual {
	v := k.copy(k.constant(coefficients[0]))
	for _, c := range coefficients[1:] {
		k.VFMADD213PS(k.constant(c), x, v)
	}
	return v
}

// The comparisons, by the numbers that the instructions give them. Those with a NaN are false except notEqual and
// notLess.
const (
	equal     = 0
	less      = 1
	lessEqual = 2
	notEqual  = 4
	notLess   = 5
)

// choose is, lane by lane, yes where a compares to b, else no. Both may be in memory.
func (k *kernel) choose(a VecVirtual, comparison uint8, b, yes, no Op) VecVirtual {
	v := k.vector()
	if k.machine == avx512 {
		k.VCMPPS(U8(comparison), b, a, K2)
		k.VBLENDMPS(yes, k.inRegister(no), K2, v)
		return v
	}
	k.VCMPPS(U8(comparison), b, a, v)
	k.VBLENDVPS(v, yes, k.inRegister(no), v)
	return v
}

// zeroWhere is a, and 0 where b compares to c.
func (k *kernel) zeroWhere(a, b VecVirtual, comparison uint8, c Op) VecVirtual {
	return k.choose(b, comparison, c, k.constant(0), a)
}
