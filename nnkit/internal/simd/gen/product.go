package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// structure is a struct that a kernel takes a pointer to, which AX holds.
type structure []field

type field struct{ name, kind, comment string } // of 8 bytes, but for the last

// at is where a field is.
func (s structure) at(name string) Mem {
	for i, f := range s {
		if f.name == name {
			return Mem{Base: RAX, Disp: 8 * i}
		}
	}
	panic("no field " + name)
}

// structure declares a struct.
func (f *file) structure(name, comment string, s structure) {
	b := &f.declarations.types
	fmt.Fprintf(b, "\n// %s is %s.\ntype %s struct {\n", name, comment, name)
	for _, field := range s {
		fmt.Fprintf(b, "%s %s", field.name, field.kind)
		if field.comment != "" {
			fmt.Fprintf(b, " // %s", field.comment)
		}
		fmt.Fprintln(b)
	}
	fmt.Fprintln(b, "}")
}

var tile = structure{
	{"rows", "int", "1 to the machine's most"},
	{"vectors", "int", "columns in vectors: 1, 2 or 4"},
	{"k", "int", "multiply-adds for each element in a run"},
	{"runs", "int", "of so many k, between which A and B jump; 0 is 1, as a tile with a panel has"},
	{"aNext", "uintptr", "from the end of a run in A to the next one"},
	{"bNext", "uintptr", ""},
	{"a", "*float32", ""},
	{"aRow", "uintptr", ""},
	{"aColumn", "uintptr", ""},
	{"b", "*float32", "columns are next to each other"},
	{"bRow", "uintptr", ""},
	{"panel", "*float32", "where to copy B to, vectors next to each other; nil for nowhere"},
	{"start", "*float32", "what C begins with; nil for zeros"},
	{"startRow", "uintptr", ""},
	{"c", "*float32", ""},
	{"cRow", "uintptr", ""},
	{"gate", "*float32", "C becomes 0 where it is not above 0; nil for none"},
	{"gateRow", "uintptr", ""},
	{"mask", "uintptr", "the columns in use of the last vector, a bit for each; AVX2: all of them if 0"},
	{"masks", "*int32", "the same for AVX2, a number for each"},
	{"relu", "int", "1: negative elements of C become 0"},
	{"lines", "int", "of so many tiles, with the distances below; the fields that move are changed; 0 is 1"},
	{"aLine", "uintptr", ""},
	{"startLine", "uintptr", ""},
	{"cLine", "uintptr", "that of the gate, too"},
}

// of is where a field of the tile is.
func of(name string) Mem { return tile.at(name) }

// shape is the most rows of a tile for a number of vectors.
type shape struct{ vectors, rows int }

func (m machine) shapes() []shape {
	if m == avx512 {
		return []shape{{1, 14}, {2, 14}, {4, 5}}
	}
	return []shape{{1, 6}, {2, 6}, {4, 2}}
}

func product(f *file) {
	f.structure("tile", "a part of C that fits the registers; strides are in bytes", tile)
	for _, m := range machines {
		f.tiles(m)
	}
	f.transpose()
}

func registers(m machine) []VecPhysical {
	if m == avx512 {
		return []VecPhysical{
			Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
			Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31,
		}
	}
	return []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}
}

// tiles writes one function that branches to the code for a tile's shape: so it can be called directly, and its
// argument need not escape to the heap as it would through a table.
func (f *file) tiles(m machine) {
	f.declarations.declare("tile"+m.name, "(t *tile)")
	f.function("tile"+m.name, "func(t *byte)")
	f.Load(f.Param("t"), RAX)
	if m == avx512 {
		f.MOVQ(of("mask"), RDX)
		f.KMOVW(EDX, K1)
	}
	f.MOVQ(of("rows"), RCX)
	f.MOVQ(of("vectors"), RDX)
	var variants []variant
	for _, s := range m.shapes() {
		variants = append(variants, m.variants(s)...)
	}
	f.branch(m, variants)
	for _, v := range variants {
		f.tile(m, v)
	}
}

// variant is a tile whose code is written out.
type variant struct {
	rows, vectors int
	panel, masked bool
}

func (v variant) label(suffix string) string {
	l := fmt.Sprintf("r%dv%d", v.rows, v.vectors)
	if v.panel {
		l += "p"
	}
	if v.masked {
		l += "m"
	}
	return l + suffix
}

func (m machine) variants(s shape) (list []variant) {
	for rows := 1; rows <= s.rows; rows++ {
		for _, panel := range []bool{false, true} {
			// Copying pays where B is read again: in the first of several tiles, which has more than half of the most rows.
			if panel && (s.vectors != 2 || rows <= s.rows/2) {
				continue
			}
			// A mask costs nothing with AVX-512; with AVX2 it does.
			list = append(list, variant{rows, s.vectors, panel, true})
			if m == avx2 {
				list = append(list, variant{rows, s.vectors, panel, false})
			}
		}
	}
	return list
}

// branch jumps to the variant that the tile asks for; CX holds the rows and DX the vectors.
func (f *file) branch(m machine, variants []variant) {
	groups := map[variant][]variant{}
	var order []variant
	for _, v := range variants {
		key := variant{vectors: v.vectors, panel: v.panel, masked: v.masked}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], v)
	}
	for _, key := range order {
		next := key.label("next")
		f.CMPQ(RDX, U32(uint32(key.vectors)))
		f.JNE(LabelRef(next))
		f.CMPQ(of("panel"), U32(0))
		if key.panel {
			f.JEQ(LabelRef(next))
		} else {
			f.JNE(LabelRef(next))
		}
		if m == avx2 {
			f.CMPQ(of("mask"), U32(0))
			if key.masked {
				f.JEQ(LabelRef(next))
			} else {
				f.JNE(LabelRef(next))
			}
		}
		f.search(groups[key])
		f.Label(next)
	}
	f.UD2()
}

// search finds the number of rows by halving.
func (f *file) search(variants []variant) {
	if len(variants) == 1 {
		f.JMP(LabelRef(variants[0].label("")))
		return
	}
	half := variants[len(variants)/2]
	f.CMPQ(RCX, U32(uint32(half.rows)))
	f.JGE(LabelRef(half.label("up")))
	f.search(variants[:len(variants)/2])
	f.Label(half.label("up"))
	f.search(variants[len(variants)/2:])
}

// tileWriter writes the code of one variant. AX points to the tile; DX walks through B, CX counts k down, DI counts
// the runs or walks through the panel, and then through the rows of C. R14 and R15 belong to Go.
type tileWriter struct {
	*file
	machine
	variant
	sums []VecPhysical // row after row
	b    []VecPhysical
	a    []VecPhysical // broadcast elements of A, in turn
	lane VecPhysical   // AVX2's mask
}

func (f *file) tile(m machine, v variant) {
	w := &tileWriter{file: f, machine: m, variant: v}
	free := registers(m)
	take := func(n int) (taken []VecPhysical) {
		taken, free = free[:n], free[n:]
		return taken
	}
	w.sums = take(v.rows * v.vectors)
	w.b = take(v.vectors)
	if m == avx2 && v.masked {
		w.lane = take(1)[0]
	}
	w.a = take(min(2, len(free)))
	f.Label(v.label(""))
	if m == avx2 && v.masked {
		f.MOVQ(of("masks"), RDX)
		f.VMOVUPS(Mem{Base: RDX}, w.lane)
	}
	f.Label(v.label("line"))
	w.start()
	w.multiply()
	w.finish()
	if !v.panel {
		f.DECQ(of("lines"))
		f.JG(LabelRef(v.label("next")))
	}
	f.VZEROUPPER()
	f.RET()
	if !v.panel {
		f.Label(v.label("next"))
		for _, move := range [][2]string{{"a", "aLine"}, {"start", "startLine"}, {"c", "cLine"}, {"gate", "cLine"}} {
			f.MOVQ(of(move[1]), RDX)
			f.CMPQ(of(move[0]), U32(0)) // nil stays
			f.CMOVQEQ(of(move[0]), RDX)
			f.ADDQ(RDX, of(move[0]))
		}
		f.JMP(LabelRef(v.label("line")))
	}
}

// walk calls visit for each row of a matrix, with DI at the row.
func (w *tileWriter) walk(matrix string, visit func(row int)) {
	w.MOVQ(of(matrix), RDI)
	w.MOVQ(of(matrix+"Row"), RBX)
	for i := range w.rows {
		visit(i)
		if i < w.rows-1 {
			w.ADDQ(RBX, RDI)
		}
	}
}

func (w *tileWriter) sum(row, vector int) VecPhysical { return w.sums[row*w.vectors+vector] }

func (w *tileWriter) load(base Register, vector int, to VecPhysical) {
	from := Mem{Base: base, Disp: vector * w.bytes()}
	switch {
	case !w.masked || vector < w.vectors-1:
		w.VMOVUPS(from, to)
	case w.machine == avx512:
		w.VMOVUPS_Z(from, K1, to)
	default:
		w.VMASKMOVPS(from, w.lane, to)
	}
}

func (w *tileWriter) store(from VecPhysical, base Register, vector int) {
	to := Mem{Base: base, Disp: vector * w.bytes()}
	switch {
	case !w.masked || vector < w.vectors-1:
		w.VMOVUPS(from, to)
	case w.machine == avx512:
		w.VMOVUPS(from, K1, to)
	default:
		w.VMASKMOVPS(from, w.lane, to)
	}
}

// start sets the sums to what C begins with.
func (w *tileWriter) start() {
	w.CMPQ(of("start"), U32(0))
	w.JEQ(LabelRef(w.label("zero")))
	w.walk("start", func(row int) {
		for j := range w.vectors {
			w.load(RDI, j, w.sum(row, j))
		}
	})
	w.JMP(LabelRef(w.label("ready")))
	w.Label(w.label("zero"))
	for _, s := range w.sums {
		w.VXORPS(s, s, s)
	}
	w.Label(w.label("ready"))
}

// rowsApart are the registers that walk through A, each for three rows.
var rowsApart = []GPPhysical{RSI, R8, R9, R10, R11}

func (w *tileWriter) multiply() {
	w.MOVQ(of("a"), RSI)
	w.MOVQ(of("aRow"), R12)
	w.MOVQ(of("aColumn"), R13)
	w.MOVQ(of("b"), RDX)
	w.MOVQ(of("bRow"), RBX)
	if w.panel {
		w.MOVQ(of("panel"), RDI)
	} else {
		w.MOVQ(of("runs"), RDI)
	}
	walkers := rowsApart[:(w.rows+2)/3]
	for i := 1; i < len(walkers); i++ {
		w.LEAQ(Mem{Base: walkers[i-1], Index: R12, Scale: 2}, walkers[i])
		w.ADDQ(R12, walkers[i])
	}
	const unroll = 2
	w.Label(w.label("run"))
	w.MOVQ(of("k"), RCX)
	w.SUBQ(U32(unroll), RCX)
	w.JL(LabelRef(w.label("odd")))
	w.Label(w.label("loop"))
	for range unroll {
		w.step(walkers)
	}
	w.SUBQ(U32(unroll), RCX)
	w.JGE(LabelRef(w.label("loop")))
	w.Label(w.label("odd"))
	w.ADDQ(U32(unroll), RCX)
	w.JZ(LabelRef(w.label("done")))
	w.step(walkers)
	w.Label(w.label("done"))
	if w.panel {
		return
	}
	w.DECQ(RDI)
	w.JLE(LabelRef(w.label("end")))
	for _, r := range walkers {
		w.ADDQ(of("aNext"), r)
	}
	w.ADDQ(of("bNext"), RDX)
	w.JMP(LabelRef(w.label("run")))
	w.Label(w.label("end"))
}

// step adds a column of A times a row of B.
func (w *tileWriter) step(walkers []GPPhysical) {
	if w.panel {
		for j := range w.vectors {
			w.PREFETCHT0(Mem{Base: RDX, Index: RBX, Scale: 8, Disp: j * w.bytes()})
		}
	}
	for j, b := range w.b {
		w.load(RDX, j, b)
		if w.panel {
			w.VMOVUPS(b, Mem{Base: RDI, Disp: j * w.bytes()})
		}
	}
	w.ADDQ(RBX, RDX)
	if w.panel {
		w.ADDQ(U32(uint32(w.vectors*w.bytes())), RDI)
	}
	if w.vectors == 2 && w.rows > 3 {
		w.PREFETCHT0(Mem{Base: walkers[0], Index: R13, Scale: 8})
		w.PREFETCHT0(Mem{Base: walkers[len(walkers)-1], Index: R13, Scale: 8})
	}
	for i := range w.rows {
		a := Mem{Base: walkers[i/3]}
		if i%3 > 0 {
			a.Index, a.Scale = R12, uint8(i%3)
		}
		if w.vectors == 1 && w.machine == avx512 {
			w.VFMADD231PS_BCST(a, w.b[0], w.sum(i, 0))
			continue
		}
		element := w.a[i%len(w.a)]
		w.VBROADCASTSS(a, element)
		for j, b := range w.b {
			w.VFMADD231PS(element, b, w.sum(i, j))
		}
	}
	for _, r := range walkers {
		w.ADDQ(R13, r)
	}
}

// finish applies ReLU or a gate, and writes C.
func (w *tileWriter) finish() {
	zero, gate := w.b[0], w.a[0]
	w.VXORPS(zero, zero, zero)
	w.CMPQ(of("relu"), U32(0))
	w.JEQ(LabelRef(w.label("linear")))
	for _, s := range w.sums {
		w.VMAXPS(s, zero, s) // a NaN in the second operand stays
	}
	w.Label(w.label("linear"))
	w.CMPQ(of("gate"), U32(0))
	w.JEQ(LabelRef(w.label("open")))
	w.walk("gate", func(row int) {
		for j := range w.vectors {
			w.load(RDI, j, gate)
			s := w.sum(row, j)
			if w.machine == avx512 {
				w.VCMPPS(U8(lessEqual), zero, gate, K2)
				w.VBLENDMPS(zero, s, K2, s)
			} else {
				w.VCMPPS(U8(lessEqual), zero, gate, gate)
				w.VANDNPS(s, gate, s)
			}
		}
	})
	w.Label(w.label("open"))
	w.walk("c", func(row int) {
		for j := range w.vectors {
			w.store(w.sum(row, j), RDI, j)
		}
	})
}

// transpose writes transpose8: 8 rows of src, cut into blocks of 8 columns, become the rows of dst. Strides are in
// bytes.
func (f *file) transpose() {
	const parameters = "(dst *float32, dstRow uintptr, src *float32, srcRow uintptr, blocks int)"
	f.declarations.declare("transpose8", parameters)
	f.function("transpose8", "func"+parameters)
	for i, name := range []string{"dst", "dstRow", "src", "srcRow", "blocks"} {
		f.Load(f.Param(name), []GPPhysical{RDI, R9, RSI, R8, RCX}[i])
	}
	r := registers(avx2)
	f.LEAQ(Mem{Base: R8, Index: R8, Scale: 2}, R10)
	f.LEAQ(Mem{Base: R9, Index: R9, Scale: 2}, R11)
	f.LEAQ(Mem{Base: RSI, Index: R8, Scale: 4}, RDX)
	row := func(first, fifth, stride, three Register, i int) Mem {
		m := Mem{Base: []Register{first, fifth}[i/4]}
		if i%4 > 0 {
			m.Index, m.Scale = []Register{nil, stride, stride, three}[i%4], []uint8{0, 1, 2, 1}[i%4]
		}
		return m
	}
	f.Label("loop")
	for i := range 8 {
		f.VMOVUPS(row(RSI, RDX, R8, R10, i), r[i])
	}
	for i := 0; i < 8; i += 2 { // pairs of rows
		f.VUNPCKLPS(r[i+1], r[i], r[8+i])
		f.VUNPCKHPS(r[i+1], r[i], r[9+i])
	}
	for i := 0; i < 8; i += 4 { // fours
		f.VSHUFPS(U8(0x44), r[10+i], r[8+i], r[i])
		f.VSHUFPS(U8(0xee), r[10+i], r[8+i], r[i+1])
		f.VSHUFPS(U8(0x44), r[11+i], r[9+i], r[i+2])
		f.VSHUFPS(U8(0xee), r[11+i], r[9+i], r[i+3])
	}
	for i := range 4 { // eights
		f.VPERM2F128(U8(0x20), r[4+i], r[i], r[8+i])
		f.VPERM2F128(U8(0x31), r[4+i], r[i], r[12+i])
	}
	f.LEAQ(Mem{Base: RDI, Index: R9, Scale: 4}, RBX)
	for i := range 8 {
		f.VMOVUPS(r[8+i], row(RDI, RBX, R9, R11, i))
	}
	f.ADDQ(U8(32), RSI)
	f.ADDQ(U8(32), RDX)
	f.LEAQ(Mem{Base: RDI, Index: R9, Scale: 8}, RDI)
	f.DECQ(RCX)
	f.JNZ(LabelRef("loop"))
	f.VZEROUPPER()
	f.RET()
}
