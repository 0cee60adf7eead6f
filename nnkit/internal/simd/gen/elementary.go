package main

import (
	"math"

	. "github.com/mmcloughlin/avo/reg"
)

// The numbers of the elementary functions; ../elementary.go says where they come from.
const (
	ln2High   = 0.693359375
	ln2Low    = -2.12194440e-4
	nearestOf = 12582912 // 1.5·2^23: adding it rounds to a whole number
)

var (
	expSeries = []float32{
		1.9914546e-04, 0.0013941277, 0.008333272, 0.04166635, 0.16666667, 0.5,
	}
	logSeries = []float32{
		-0.07825373, 0.13007052, -0.1320908, 0.14163157, -0.16611086, 0.20003028, -0.25001526, 0.33333308,
		-0.49999988,
	}
	erfSeries = []float32{
		8.5988e-05, -8.2019804e-04, 0.0052066687, -0.026861753, 0.112837344, -0.37612635, 0.12837917,
	}
	erfTail = []float32{
		-2.1253118e-05, 4.3630786e-04, -0.0041800113, 0.02514288, -0.10831609, -0.63331443, -1.1295309,
		1.7799732e-04,
	}
)

func elementary(f *file) {
	f.elementwise("exp", "dst src", "", func(k *kernel) {
		e := k.exponential(k.load("src"))
		k.store("dst", k.scale(k.add(e.high, k.constant(1)), e))
	})
	f.elementwise("sigmoid", "dst src", "", func(k *kernel) { k.store("dst", k.sigmoid(k.load("src"))) })
	f.elementwise("tanh", "dst src", "", func(k *kernel) { k.store("dst", k.tanh(k.load("src"))) })
	f.elementwise("log", "dst src", "", func(k *kernel) { k.store("dst", k.log(k.load("src"))) })
	f.elementwise("erf", "dst src", "", func(k *kernel) { k.store("dst", k.erf(k.load("src"))) })
}

// power is exp(x) = 2^n·(1 + high + low).
type power struct {
	high, rest, square VecVirtual
	n                  VecVirtual // as a float32
	bits               VecVirtual // nearestOf + n
}

func (k *kernel) exponential(x VecVirtual) power {
	x = k.least(k.copy(k.constant(88.8)), x)
	x = k.most(k.copy(k.constant(-104)), x)
	shifted := k.fma(x, k.constant(math.Log2E), k.copy(k.constant(nearestOf)))
	n := k.subtract(shifted, k.constant(nearestOf))
	r := k.fmaNegative(n, k.constant(ln2High), x)
	rest := k.fmaNegative(n, k.constant(ln2Low), r)
	low := k.fmaNegative(n, k.constant(ln2Low), k.subtract(r, rest))
	square := k.fma(k.multiply(rest, rest), k.polynomial(rest, expSeries...), low)
	return power{high: k.add(rest, square), rest: rest, square: square, n: n, bits: shifted}
}

// low is what high lost.
func (k *kernel) low(e power) VecVirtual { return k.add(k.subtract(e.rest, e.high), e.square) }

// scale is x·2^n, rounded once though the result may be subnormal.
func (k *kernel) scale(x VecVirtual, e power) VecVirtual {
	v := k.vector()
	if k.machine == avx512 {
		k.VSCALEFPS(e.n, x, v)
		return v
	}
	n := k.subInt(e.bits, k.constant(nearestOf))
	half := k.shiftRight(n, 1)
	for _, part := range []VecVirtual{half, k.subInt(n, half)} {
		x = k.multiply(x, k.shiftLeft(k.addInt(part, k.bits(127)), 23))
	}
	return x
}

func (k *kernel) abs(x VecVirtual) VecVirtual      { return k.and(x, k.bits(0x7fffffff)) }
func (k *kernel) signOf(x VecVirtual) VecVirtual   { return k.and(x, k.bits(0x80000000)) }
func (k *kernel) negative(x VecVirtual) VecVirtual { return k.xor(x, k.bits(0x80000000)) }

func (k *kernel) withSign(x, sign VecVirtual) VecVirtual { return k.or(k.abs(x), k.signOf(sign)) }

func (k *kernel) sigmoid(x VecVirtual) VecVirtual {
	e := k.exponential(k.or(x, k.bits(0x80000000)))
	one := k.constant(1)
	h := k.add(e.high, one)
	l := k.add(k.subtract(e.high, k.subtract(h, one)), k.low(e))
	h, l = k.scale(h, e), k.scale(l, e)
	d := k.add(h, one)
	lost := k.add(k.subtract(h, k.subtract(d, one)), l)
	zero := k.constant(0)
	h = k.choose(x, less, zero, h, one)
	l = k.choose(x, less, zero, l, zero)
	return k.quotient(h, l, d, lost)
}

// quotient is (h + l)/(d + lost), where l and lost are small beside h and d.
func (k *kernel) quotient(h, l, d, lost VecVirtual) VecVirtual {
	inverse := k.divide(k.constant(1), d)
	q := k.multiply(h, inverse)
	rest := k.add(k.fmaNegative(q, d, h), k.fmaNegative(q, lost, l))
	return k.fma(rest, inverse, q)
}

func (k *kernel) tanh(x VecVirtual) VecVirtual {
	u := k.most(k.copy(k.constant(-20)), k.or(k.add(x, x), k.bits(0x80000000)))
	h, l := k.lessOne(k.exponential(u))
	two := k.constant(2)
	d := k.add(h, two)
	lost := k.add(k.subtract(h, k.subtract(d, two)), l)
	return k.withSign(k.quotient(k.negative(h), k.negative(l), d, lost), x)
}

// lessOne is exp(x) - 1 as h + l.
func (k *kernel) lessOne(e power) (h, l VecVirtual) {
	one := k.constant(1)
	s := k.scale(k.copy(one), e)
	a := k.subtract(s, one)
	lost := k.subtract(s, k.add(a, one))
	m, small := k.multiply(s, e.high), k.multiply(s, k.low(e))
	h = k.add(a, m)
	return h, k.add(k.subtract(m, k.subtract(h, a)), k.add(small, lost))
}

func (k *kernel) log(x VecVirtual) VecVirtual {
	const smallest = 0x1p-126
	scaled := k.choose(x, less, k.constant(smallest), k.multiply(x, k.constant(1<<23)), x)
	shift := k.choose(x, less, k.constant(smallest), k.constant(-23), k.constant(0))
	exponent, t := k.takeApart(scaled)
	y := k.logOf(k.add(exponent, shift), t)
	infinite := k.constant(float32(math.Inf(1)))
	y = k.choose(x, equal, infinite, infinite, y)
	y = k.choose(x, equal, k.constant(0), k.constant(float32(math.Inf(-1))), y)
	y = k.choose(x, less, k.constant(0), k.bits(0x7fc00000), y)
	return k.choose(x, notEqual, k.copy(x), x, y)
}

// logNormal is the logarithm of a number that is neither subnormal nor special.
func (k *kernel) logNormal(x VecVirtual) VecVirtual {
	exponent, t := k.takeApart(x)
	return k.logOf(exponent, t)
}

// takeApart returns e and t, x being 2^e·(1+t), with 1+t between √½ and √2.
func (k *kernel) takeApart(x VecVirtual) (e, t VecVirtual) {
	// The subtraction carries into the exponent.
	e = k.shiftRight(k.subInt(x, k.bits(0x3f3504f3)), 23)
	t = k.subtract(k.subInt(x, k.shiftLeft(e, 23)), k.constant(1))
	k.VCVTDQ2PS(e, e)
	return e, t
}

// logOf is n·ln 2 + log(1+t).
func (k *kernel) logOf(n, t VecVirtual) VecVirtual {
	correction := k.multiply(k.multiply(t, t), k.polynomial(t, logSeries...))
	high := k.multiply(n, k.constant(ln2High))
	sum := k.add(high, t)
	lost := k.add(k.subtract(high, sum), t)
	return k.add(sum, k.add(lost, k.fma(n, k.constant(ln2Low), correction)))
}

func (k *kernel) erf(x VecVirtual) VecVirtual {
	t := k.abs(x)
	inner := k.fma(k.polynomial(k.multiply(x, x), erfSeries...), x, x)
	e := k.exponential(k.polynomial(k.least(k.copy(k.constant(4)), t), erfTail...))
	one := k.constant(1)
	s := k.scale(k.copy(one), e)
	outer := k.fmaNegative(s, e.high, k.subtract(k.copy(one), s))
	outer = k.or(outer, k.signOf(x))
	return k.choose(t, less, k.constant(0.94), inner, outer)
}
