package main

import (
	"math"

	. "github.com/mmcloughlin/avo/reg"
)

func cell(f *file) {
	f.elementwise("lstmState", "i f g c", "", func(k *kernel) {
		i, g := k.gatePair(k.load("i"), k.load("g"))
		k.store("i", i)
		k.store("g", g)
		f := k.gateSigmoid(k.load("f"))
		k.store("f", f)
		k.store("c", k.fma(f, k.load("c"), k.multiply(i, g)))
	})
	f.elementwise("lstmOutput", "o c h", "", func(k *kernel) {
		o, t := k.gatePair(k.load("o"), k.load("c"))
		k.store("o", o)
		k.store("h", k.multiply(o, t))
	})
	f.elementwise("lstmGradient", "i f g o c dc dh", "", func(k *kernel) {
		t := k.gateTanh(k.fma(k.load("f"), k.load("c"), k.multiply(k.load("i"), k.load("g"))))
		o, d := k.load("o"), k.load("dh")
		all := k.fma(k.multiply(d, o), k.overTanh(t), k.load("dc"))
		k.store("o", k.multiply(k.multiply(d, t), k.overSigmoid(o)))
		f, c := k.load("f"), k.load("c")
		k.store("dc", k.multiply(all, f))
		k.store("f", k.multiply(k.multiply(all, c), k.overSigmoid(f)))
		i, g := k.load("i"), k.load("g")
		k.store("i", k.multiply(k.multiply(all, g), k.overSigmoid(i)))
		k.store("g", k.multiply(k.multiply(all, i), k.overTanh(g)))
	})
	f.elementwise("gruReset", "a r q", "", func(k *kernel) {
		r := k.gateSigmoid(k.load("r"))
		k.store("r", r)
		k.store("a", k.fma(r, k.load("q"), k.load("a")))
	})
	f.elementwise("gruState", "a z h", "", func(k *kernel) {
		z, a := k.gatePair(k.load("z"), k.load("a"))
		k.store("z", z)
		k.store("a", a)
		k.store("h", k.fma(z, k.subtract(k.load("h"), a), a))
	})
	f.elementwise("gruGradient", "a z r q h dh", "", func(k *kernel) {
		d, a, z := k.load("dh"), k.load("a"), k.load("z")
		dz := k.multiply(d, k.subtract(k.load("h"), a))
		da := k.multiply(k.fmaNegative(d, z, d), k.overTanh(a))
		k.store("dh", k.multiply(d, z))
		k.store("a", da)
		k.store("z", k.multiply(dz, k.overSigmoid(z)))
		r := k.load("r")
		dr := k.multiply(da, k.load("q"))
		k.store("q", k.multiply(da, r))
		k.store("r", k.multiply(dr, k.overSigmoid(r)))
	})
}

// overSigmoid and overTanh are the derivatives, by the functions' values.
func (k *kernel) overSigmoid(y VecVirtual) VecVirtual { return k.fmaNegative(y, y, y) }
func (k *kernel) overTanh(y VecVirtual) VecVirtual    { return k.fmaNegative(y, y, k.constant(1)) }

// decaySeries is exp(-r) from its first power on, the highest power first.
var decaySeries = []float32{0.00139505393, -0.00836891774, 0.041666206, -0.166665182, 0.5, -1}

func (k *kernel) decay(x VecVirtual) (shifted, rest VecVirtual) {
	shifted = k.fma(x, k.constant(-math.Log2E), k.copy(k.constant(nearestOf)))
	n := k.subtract(shifted, k.constant(nearestOf))
	r := k.fma(n, k.constant(ln2Low), k.fma(n, k.constant(ln2High), x))
	return shifted, k.multiply(k.polynomial(r, decaySeries...), r)
}

func (k *kernel) powerOf(shifted VecVirtual) VecVirtual {
	return k.addInt(k.shiftLeft(shifted, 23), k.constant(1))
}

func (k *kernel) sigmoidBelow(x VecVirtual) VecVirtual {
	x = k.least(k.copy(k.constant(87)), x)
	x = k.most(k.copy(k.constant(-87)), x)
	shifted, rest := k.decay(x)
	s := k.powerOf(shifted)
	return k.add(k.fma(s, rest, s), k.constant(1))
}

func (k *kernel) tanhParts(x VecVirtual) (above, below VecVirtual) {
	u := k.least(k.copy(k.constant(20)), k.abs(k.add(x, x)))
	shifted, rest := k.decay(u)
	s := k.powerOf(shifted)
	m := k.fma(s, rest, k.subtract(s, k.constant(1)))
	return m, k.add(m, k.constant(2))
}

func (k *kernel) gateSigmoid(x VecVirtual) VecVirtual {
	return k.divide(k.constant(1), k.sigmoidBelow(x))
}

func (k *kernel) gateTanh(x VecVirtual) VecVirtual {
	above, below := k.tanhParts(x)
	return k.withSign(k.divide(above, below), x)
}

func (k *kernel) gatePair(x, y VecVirtual) (s, t VecVirtual) {
	b := k.sigmoidBelow(x)
	above, below := k.tanhParts(y)
	inverse := k.divide(k.constant(1), k.multiply(b, below))
	return k.multiply(below, inverse), k.withSign(k.multiply(above, k.multiply(b, inverse)), y)
}
