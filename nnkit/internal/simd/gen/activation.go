package main

import (
	"math"

	. "github.com/mmcloughlin/avo/reg"
)

// The numbers of ../activation.go.
const (
	rootHalf  = 0.7071067811865476
	rootTwoPi = 0.3989422804014327
	geluInner = 1.5957691216057308
	geluCube  = 0.07135481282734542
	sqrtTwo   = 1.4142135
)

func activation(f *file) {
	value := func(name string, of func(k *kernel, x VecVirtual) VecVirtual) {
		f.elementwise(name, "dst src", "", func(k *kernel) { k.store("dst", of(k, k.load("src"))) })
	}
	// from is the array that tells the derivative.
	gradient := func(name, from string, of func(k *kernel, x VecVirtual) VecVirtual) {
		f.elementwise(name+"Gradient", "dy "+from, "", func(k *kernel) {
			k.store("dy", k.multiply(k.load("dy"), of(k, k.load(from))))
		})
	}
	value("gelu", func(k *kernel, x VecVirtual) VecVirtual {
		return k.multiply(k.atLeast(x, k.constant(-20)), k.normal(x))
	})
	gradient("gelu", "x", func(k *kernel, x VecVirtual) VecVirtual {
		e := k.exponential(k.multiply(k.multiply(x, x), k.constant(-0.5)))
		density := k.multiply(k.scale(k.add(e.high, k.constant(1)), e), k.constant(rootTwoPi))
		return k.fma(k.clip(x, k.constant(-20), k.constant(20)), density, k.normal(x))
	})
	value("tanhGELU", func(k *kernel, x VecVirtual) VecVirtual {
		return k.multiply(k.atLeast(x, k.constant(-20)), k.sigmoid(k.tanhGELUArgument(x, geluCube)))
	})
	gradient("tanhGELU", "x", func(k *kernel, x VecVirtual) VecVirtual {
		x = k.clip(x, k.constant(-20), k.constant(20))
		s := k.sigmoid(k.tanhGELUArgument(x, geluCube))
		return k.fma(k.tanhGELUArgument(x, 3*geluCube), k.overSigmoid(s), s)
	})
	value("silu", func(k *kernel, x VecVirtual) VecVirtual {
		return k.multiply(k.atLeast(x, k.constant(-200)), k.sigmoid(x))
	})
	gradient("silu", "x", func(k *kernel, x VecVirtual) VecVirtual {
		x = k.clip(x, k.constant(-200), k.constant(200))
		s := k.sigmoid(x)
		return k.fma(x, k.overSigmoid(s), s)
	})
	f.elementwise("elu", "dst src", "scale alpha", func(k *kernel) {
		x := k.load("src")
		h, l := k.lessOne(k.exponential(x))
		below, above := k.multiply(k.add(h, l), k.scalar("alpha")), k.multiply(x, k.scalar("scale"))
		k.store("dst", k.choose(x, lessEqual, k.constant(0), below, above))
	})
	f.elementwise("eluGradient", "dy y", "scale alpha", func(k *kernel) {
		y := k.load("y")
		slope := k.choose(y, lessEqual, k.constant(0), k.add(y, k.scalar("alpha")), k.scalar("scale"))
		k.store("dy", k.multiply(k.load("dy"), slope))
	})
	f.elementwise("leakyReLU", "dst src", "slope", func(k *kernel) {
		x := k.load("src")
		k.store("dst", k.choose(x, lessEqual, k.constant(0), k.multiply(x, k.scalar("slope")), x))
	})
	f.elementwise("leakyReLUGradient", "dy y", "slope", func(k *kernel) {
		dy := k.load("dy")
		k.store("dy", k.choose(k.load("y"), lessEqual, k.constant(0), k.multiply(dy, k.scalar("slope")), dy))
	})
	value("softplus", (*kernel).softplus)
	gradient("softplus", "y", func(k *kernel, y VecVirtual) VecVirtual {
		h, l := k.lessOne(k.exponential(k.negative(y)))
		return k.negative(k.add(h, l))
	})
	value("softsign", func(k *kernel, x VecVirtual) VecVirtual {
		t := k.atMost(k.abs(x), k.constant(math.MaxFloat32))
		return k.divide(k.withSign(t, x), k.add(t, k.constant(1)))
	})
	gradient("softsign", "y", func(k *kernel, y VecVirtual) VecVirtual {
		rest := k.subtract(k.copy(k.constant(1)), k.abs(y))
		return k.multiply(rest, rest)
	})
	value("mish", func(k *kernel, x VecVirtual) VecVirtual {
		n, _ := k.mishParts(x)
		return k.multiply(k.atLeast(x, k.constant(-200)), k.divide(n, k.add(n, k.constant(2))))
	})
	gradient("mish", "x", func(k *kernel, x VecVirtual) VecVirtual {
		n, e := k.mishParts(x)
		d := k.add(n, k.constant(2))
		slope := k.multiply(k.multiply(k.divide(e, d), k.divide(k.add(e, k.constant(1)), d)), k.constant(4))
		return k.fma(k.clip(x, k.constant(-200), k.constant(200)), slope, k.divide(n, d))
	})
	value("hardSigmoid", (*kernel).hardSigmoid)
	f.elementwise("hardSigmoidGradient", "dy y", "", func(k *kernel) {
		y := k.load("y")
		d := k.multiply(k.load("dy"), k.constant(1./6))
		d = k.zeroWhere(d, y, lessEqual, k.constant(0))
		k.store("dy", k.zeroWhere(d, k.copy(k.constant(1)), lessEqual, y))
	})
	value("hardSwish", func(k *kernel, x VecVirtual) VecVirtual {
		return k.multiply(k.atLeast(x, k.constant(-3)), k.hardSigmoid(x))
	})
	gradient("hardSwish", "x", func(k *kernel, x VecVirtual) VecVirtual {
		d := k.fma(x, k.constant(1./3), k.copy(k.constant(0.5)))
		d = k.zeroWhere(d, x, lessEqual, k.constant(-3))
		return k.choose(k.copy(k.constant(3)), lessEqual, x, k.constant(1), d)
	})
}

// normal is the normal distribution's function.
func (k *kernel) normal(x VecVirtual) VecVirtual {
	half := k.copy(k.constant(0.5))
	return k.fma(k.erf(k.multiply(x, k.constant(rootHalf))), half, half)
}

// tanhGELUArgument is x·(2·√(2/π) + cube·x²).
func (k *kernel) tanhGELUArgument(x VecVirtual, cube float32) VecVirtual {
	return k.multiply(x, k.fma(k.multiply(x, x), k.constant(cube), k.copy(k.constant(geluInner))))
}

func (k *kernel) softplus(x VecVirtual) VecVirtual {
	e := k.exponential(k.or(x, k.bits(0x80000000)))
	t := k.scale(k.add(e.high, k.constant(1)), e)
	u := k.add(t, k.constant(1))
	above := k.subtract(u, k.constant(1))
	lost := k.subtract(t, above)
	half := k.copy(k.constant(0.5))
	halved := k.fma(lost, half, k.subtract(k.multiply(u, half), k.constant(1)))
	limit := k.copy(k.constant(sqrtTwo))
	n := k.choose(limit, less, u, k.constant(1), k.constant(0))
	y := k.logOf(n, k.choose(limit, less, u, halved, k.add(above, lost)))
	return k.choose(k.copy(k.constant(0)), less, x, k.add(y, x), y)
}

func (k *kernel) mishParts(x VecVirtual) (n, e VecVirtual) {
	p := k.exponential(k.atMost(x, k.constant(20)))
	e = k.scale(k.add(p.high, k.constant(1)), p)
	return k.multiply(e, k.add(e, k.constant(2))), e
}

func (k *kernel) hardSigmoid(x VecVirtual) VecVirtual {
	return k.multiply(k.clip(k.add(x, k.constant(3)), k.constant(0), k.constant(6)), k.constant(1./6))
}
