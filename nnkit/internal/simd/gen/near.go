package main

import (
	"math"

	. "github.com/mmcloughlin/avo/reg"
)

func near(f *file) {
	f.elementwise("expm1", "dst src", "", func(k *kernel) {
		x := k.load("src")
		e := k.exponential(x)
		h, l := k.lessOne(e)
		far := k.scale(k.add(e.high, k.constant(1)), e)
		k.store("dst", k.choose(x, lessEqual, k.constant(40), k.add(h, l), far))
	})
	f.elementwise("log1p", "dst src", "", func(k *kernel) { k.store("dst", k.log1p(k.load("src"))) })
}

func (k *kernel) log1p(x VecVirtual) VecVirtual {
	u := k.add(x, k.constant(1))
	lost := k.subtract(x, k.subtract(u, k.constant(1)))
	exponent := k.shiftRight(k.subInt(u, k.bits(0x3f3504f3)), 23)
	power := k.shiftLeft(exponent, 23)
	down := k.subInt(k.copy(k.constant(1)), power)
	n := k.vector()
	k.VCVTDQ2PS(exponent, n)
	y := k.logOf(n, k.fma(lost, down, k.subtract(k.subInt(u, power), k.constant(1))))
	infinite := k.constant(float32(math.Inf(1)))
	y = k.choose(u, equal, infinite, infinite, y)
	y = k.choose(u, equal, k.constant(0), k.constant(float32(math.Inf(-1))), y)
	y = k.choose(u, less, k.constant(0), k.bits(0x7fc00000), y)
	return k.choose(x, notEqual, x, x, y)
}
