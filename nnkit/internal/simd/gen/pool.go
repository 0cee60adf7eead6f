package main

import (
	"math"

	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// patch is the struct that the kernels of pooling take.
var patch = structure{
	{"x", "*float32", "the first window's first number; the fields from here to channels are changed"},
	{"y", "*float32", "its result"},
	{"channels", "int", ""},
	{"mask", "uintptr", "those of the last vector, if not all, a bit for each"},
	{"masks", "*int32", "the same for AVX2, a number for each"},
	{"pixels", "int", "how many windows"},
	{"rows", "int", "of a window"},
	{"columns", "int", ""},
	{"xPixel", "uintptr", "from one window to the next"},
	{"yPixel", "uintptr", ""},
	{"xRow", "uintptr", "from a window's row to the next"},
	{"xColumn", "uintptr", ""},
	{"dx", "*float32", "the gradient of x, laid out as that"},
	{"dy", "*float32", "and of y"},
	{"more", "int", "1: the window is but a piece of one; go on from Y, or leave the rest in DY"},
	{"alone", "int", "1: no other window covers these numbers, so their gradient begins here"},
	{"factor", "float32", "what sums are divided by; what Y must be above for a gradient"},
}

// pooling is what a kernel does for each vector of channels: when a window begins, for each of its numbers, in the end.
type pooling struct {
	*kernel
	sum    VecVirtual // or the largest number, or the rest of the gradient
	y      VecVirtual
	factor VecVirtual
	label  string
}

func pool(f *file) {
	f.structure("patch", "a row of windows of a pooling; distances are in bytes", patch)
	for _, m := range machines {
		f.pooling(m, "poolMax", (*pooling).beginMax, (*pooling).tapMax, (*pooling).end)
		f.pooling(m, "poolSum", (*pooling).beginSum, (*pooling).tapSum, (*pooling).endSum)
		f.pooling(m, "poolMaxGradient", (*pooling).beginMaxGradient, (*pooling).tapMaxGradient, (*pooling).endMaxGradient)
		f.pooling(m, "poolSumGradient", (*pooling).beginSumGradient, (*pooling).tapSumGradient, func(*pooling) {})
	}
}

// pooling writes a kernel. AX points to the patch; the window begins at SI and its result is at DI; R8 and R9 walk over
// the window's rows and columns, BX, DX and CX count
// windows, rows and columns down.
func (f *file) pooling(m machine, name string, begin, tap, end func(*pooling)) {
	f.declarations.declare(name+m.name, "(p *patch)")
	f.function(name+m.name, "func(p *byte)")
	f.Load(f.Param("p"), RAX)
	k := &kernel{file: f, machine: m, pointers: map[string]GPPhysical{"x": R9, "y": RDI, "dx": R11, "dy": R11}}
	w := &pooling{kernel: k, sum: k.vector(), y: k.vector(), factor: k.vector()}
	k.VBROADCASTSS(patch.at("factor"), w.factor)
	k.MOVQ(patch.at("xColumn"), R10)
	k.MOVQ(patch.at("dy"), R12) // how far it is behind y
	k.SUBQ(patch.at("y"), R12)
	k.MOVQ(patch.at("dx"), R13)
	k.SUBQ(patch.at("x"), R13)
	k.Label("vectors")
	k.CMPQ(patch.at("channels"), U32(uint32(m.lanes)))
	k.JL(LabelRef("tail"))
	w.windows("all", begin, tap, end)
	k.ADDQ(U32(uint32(m.bytes())), patch.at("x"))
	k.ADDQ(U32(uint32(m.bytes())), patch.at("y"))
	k.SUBQ(U32(uint32(m.lanes)), patch.at("channels"))
	k.JMP(LabelRef("vectors"))
	k.Label("tail")
	k.CMPQ(patch.at("channels"), U32(0))
	k.JEQ(LabelRef("done"))
	k.masked = true
	if m == avx512 {
		k.MOVQ(patch.at("mask"), RCX)
		k.KMOVW(ECX, K1)
		k.mask = K1
	} else {
		lanes := k.vector()
		k.MOVQ(patch.at("masks"), RCX)
		k.VMOVUPS(Mem{Base: RCX}, lanes)
		k.mask = lanes
	}
	w.windows("some", begin, tap, end)
	k.Label("done")
	k.VZEROUPPER()
	k.RET()
}

// windows writes the loops over the windows for one vector of channels.
func (w *pooling) windows(label string, begin, tap, end func(*pooling)) {
	w.label = label
	w.MOVQ(patch.at("x"), RSI)
	w.MOVQ(patch.at("y"), RDI)
	w.MOVQ(patch.at("pixels"), RBX)
	w.Label(label + "Pixel")
	begin(w)
	w.MOVQ(RSI, R8)
	w.MOVQ(patch.at("rows"), RDX)
	w.Label(label + "Row")
	w.MOVQ(R8, R9)
	w.MOVQ(patch.at("columns"), RCX)
	w.Label(label + "Column")
	tap(w)
	w.ADDQ(R10, R9)
	w.DECQ(RCX)
	w.JNZ(LabelRef(label + "Column"))
	w.ADDQ(patch.at("xRow"), R8)
	w.DECQ(RDX)
	w.JNZ(LabelRef(label + "Row"))
	end(w)
	w.ADDQ(patch.at("xPixel"), RSI)
	w.ADDQ(patch.at("yPixel"), RDI)
	w.DECQ(RBX)
	w.JNZ(LabelRef(label + "Pixel"))
}

func (w *pooling) set(to, v VecVirtual) { w.VMOVAPS(v, to) }

// begin starts from a number, or from what Y holds.
func (w *pooling) begin(from float32) {
	w.VMOVUPS(w.constant(from), w.sum)
	w.CMPQ(patch.at("more"), U32(0))
	w.JEQ(LabelRef(w.label + "First"))
	w.set(w.sum, w.load("y"))
	w.Label(w.label + "First")
}

func (w *pooling) end() { w.store("y", w.sum) }

func (w *pooling) beginMax() { w.begin(float32(math.Inf(-1))) }

func (w *pooling) tapMax() {
	x := w.load("x")
	w.set(w.sum, w.choose(x, unordered, x, x, w.most(x, w.sum)))
}

func (w *pooling) beginSum() { w.begin(0) }
func (w *pooling) tapSum()   { w.set(w.sum, w.add(w.sum, w.load("x"))) }

func (w *pooling) endSum() {
	w.set(w.sum, w.divide(w.sum, w.factor))
	w.end()
}

// atDY points to the result's gradient, atDX to that of the number at hand.
func (w *pooling) atDY() { w.LEAQ(Mem{Base: RDI, Index: R12, Scale: 1}, R11) }
func (w *pooling) atDX() { w.LEAQ(Mem{Base: R9, Index: R13, Scale: 1}, R11) }

// loadDX returns the gradient of the number at hand so far. Where it is 0 it is not read: a load that overlaps the store
// before it, as those of few channels would, has to wait.
func (w *pooling) loadDX() VecVirtual {
	w.atDX()
	dx := w.vector()
	w.VXORPS(dx, dx, dx)
	w.CMPQ(patch.at("alone"), U32(0))
	w.JNE(LabelRef(w.label + "Alone"))
	w.set(dx, w.load("dx"))
	w.Label(w.label + "Alone")
	return dx
}

func (w *pooling) beginMaxGradient() {
	w.set(w.y, w.load("y"))
	w.atDY()
	w.set(w.sum, w.zeroWhere(w.load("dy"), w.y, lessEqual, w.factor))
}

// tapMaxGradient gives the gradient to the number if it is the largest, and leaves nothing for the others.
func (w *pooling) tapMaxGradient() {
	x := w.load("x")
	dx := w.loadDX()
	if w.machine == avx512 {
		w.VCMPPS(U8(equal), w.y, x, K2)
		w.VCMPPS(U8(unordered), x, x, K3)
		w.KORW(K2, K3, K2)
		w.VADDPS(w.sum, dx, K2, dx)
		w.VXORPS(w.sum, w.sum, K2, w.sum)
	} else {
		largest, nan := w.vector(), w.vector()
		w.VCMPPS(U8(equal), w.y, x, largest)
		w.VCMPPS(U8(unordered), x, x, nan)
		largest = w.or(largest, nan)
		dx = w.add(dx, w.and(largest, w.sum))
		w.VANDNPS(w.sum, largest, w.sum)
	}
	w.store("dx", dx)
}

func (w *pooling) endMaxGradient() {
	w.CMPQ(patch.at("more"), U32(0))
	w.JEQ(LabelRef(w.label + "Whole"))
	w.atDY()
	w.store("dy", w.sum)
	w.Label(w.label + "Whole")
}

func (w *pooling) beginSumGradient() {
	w.atDY()
	w.set(w.sum, w.divide(w.load("dy"), w.factor))
}

func (w *pooling) tapSumGradient() {
	w.store("dx", w.add(w.loadDX(), w.sum))
}

const unordered = 3 // a comparison: one of the two is NaN
