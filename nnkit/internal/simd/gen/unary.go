package main

import (
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func unary(f *file) {
	f.elementwise("sqrt", "dst src", "", func(k *kernel) { k.store("dst", k.sqrt(k.load("src"))) })
	f.elementwise("rsqrt", "dst src", "", func(k *kernel) { k.store("dst", k.rsqrt(k.load("src"))) })
	f.elementwise("square", "dst src", "", func(k *kernel) {
		x := k.load("src")
		k.store("dst", k.multiply(x, x))
	})
	f.elementwise("abs", "dst src", "", func(k *kernel) { k.store("dst", k.abs(k.load("src"))) })
	f.elementwise("negate", "dst src", "", func(k *kernel) { k.store("dst", k.negative(k.load("src"))) })
	f.elementwise("sign", "dst src", "", func(k *kernel) {
		x := k.load("src")
		y := k.choose(x, less, k.constant(0), k.constant(-1), x)
		k.store("dst", k.choose(k.copy(k.constant(0)), less, x, k.constant(1), y))
	})
	f.elementwise("minimum", "dst a b", "", func(k *kernel) {
		a := k.load("a")
		k.store("dst", k.choose(a, notEqual, a, a, k.least(a, k.load("b"))))
	})
	f.elementwise("maximum", "dst a b", "", func(k *kernel) {
		a := k.load("a")
		k.store("dst", k.choose(a, notEqual, a, a, k.most(a, k.load("b"))))
	})
	f.elementwise("clip", "dst src", "low high", func(k *kernel) {
		k.store("dst", k.clip(k.load("src"), k.scalar("low"), k.scalar("high")))
	})
	f.elementwise("clipGradient", "dx x", "low high", func(k *kernel) {
		x := k.load("x")
		dx := k.zeroWhere(k.load("dx"), x, less, k.scalar("low"))
		k.store("dx", k.zeroWhere(dx, k.scalar("high"), less, x))
	})
}

func (k *kernel) rsqrt(x VecVirtual) VecVirtual {
	root := k.sqrt(x)
	y := k.divide(k.constant(1), root)
	lost := k.multiply(k.fmaNegative(root, root, x), y)
	rest := k.fma(k.multiply(lost, y), k.constant(-0.5), k.fmaNegative(y, root, k.constant(1)))
	better := k.fma(y, rest, y)
	return k.choose(better, notEqual, better, y, better)
}

func (k *kernel) clip(x VecVirtual, low, high Op) VecVirtual {
	return k.atMost(k.atLeast(x, low), high)
}

// atLeast and atMost keep a NaN of x.
func (k *kernel) atLeast(x VecVirtual, low Op) VecVirtual { return k.most(k.copy(low), x) }
func (k *kernel) atMost(x VecVirtual, high Op) VecVirtual { return k.least(k.copy(high), x) }
