package main

import . "github.com/mmcloughlin/avo/operand"

// broadcast writes the operations on two matrices, each of which may be a row, a column or a number that stands for all:
// with a stride of columns of 0 a row has one number.
func broadcast(f *file) {
	zero, one := f.constant(0), f.constant(1)
	compare := func(comparison uint8) func(k *kernel, a, b Op) Op {
		return func(k *kernel, a, b Op) Op { return k.choose(k.inRegister(a), comparison, b, one, zero) }
	}
	// A NaN in either is kept.
	larger := func(most func(k *kernel, a, b Op) Op) func(k *kernel, a, b Op) Op {
		return func(k *kernel, a, b Op) Op {
			x := k.inRegister(a)
			return k.choose(x, notEqual, x, x, most(k, x, b))
		}
	}
	for _, o := range []struct {
		name string
		do   func(k *kernel, a, b Op) Op
	}{
		{"addRows", func(k *kernel, a, b Op) Op { return k.add(a, b) }},
		{"subtractRows", func(k *kernel, a, b Op) Op { return k.subtract(a, b) }},
		{"multiplyRows", func(k *kernel, a, b Op) Op { return k.multiply(a, b) }},
		{"divideRows", func(k *kernel, a, b Op) Op { return k.divide(a, b) }},
		{"minimumRows", larger(func(k *kernel, a, b Op) Op { return k.least(a, b) })},
		{"maximumRows", larger(func(k *kernel, a, b Op) Op { return k.most(a, b) })},
		{"equalRows", compare(equal)},
		{"lessRows", compare(less)},
		{"lessEqualRows", compare(lessEqual)},
	} {
		p := parameters{arrays: "dst a b", integers: "aColumn bColumn"}
		f.rowwise(o.name, p, "dst a b", func(k *kernel) {
			k.wholeRow()
			alone := func(array string) func() Op {
				v := k.vector()
				k.VBROADCASTSS(Mem{Base: k.pointers[array]}, v)
				return func() Op { return v }
			}
			each := func(array string) func() Op { return func() Op { return k.load(array) } }
			pass := func(label string, a, b func() Op) {
				k.across(label, func() { k.store("dst", k.inRegister(o.do(k, a(), b()))) })
				k.JMP(LabelRef("end"))
			}
			k.CMPQ(k.parameter("aColumn"), U8(0))
			k.JE(LabelRef("aAlone"))
			k.CMPQ(k.parameter("bColumn"), U8(0))
			k.JE(LabelRef("bAlone"))
			pass("both", each("a"), each("b"))
			k.Label("bAlone")
			pass("column", each("a"), alone("b"))
			k.Label("aAlone")
			k.CMPQ(k.parameter("bColumn"), U8(0))
			k.JE(LabelRef("bothAlone"))
			pass("reversed", alone("a"), each("b"))
			k.Label("bothAlone")
			pass("fill", alone("a"), alone("b"))
			k.Label("end")
		})
	}
	f.elementwise("where", "dst condition a b", "", func(k *kernel) {
		k.store("dst", k.choose(k.load("condition"), notEqual, zero, k.load("a"), k.load("b")))
	})
}
