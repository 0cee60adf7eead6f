package main

import . "github.com/mmcloughlin/avo/reg"

func cell(f *file) {
	f.elementwise("lstm", "i f g o c h", "", func(k *kernel) {
		i := k.gateSigmoid(k.load("i"))
		k.store("i", i)
		g := k.gateTanh(k.load("g"))
		k.store("g", g)
		new := k.multiply(i, g)
		f := k.gateSigmoid(k.load("f"))
		k.store("f", f)
		c := k.fma(f, k.load("c"), new)
		k.store("c", c)
		t := k.gateTanh(c)
		o := k.gateSigmoid(k.load("o"))
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
	f.elementwise("gru", "a z r q h", "", func(k *kernel) {
		r := k.gateSigmoid(k.load("r"))
		k.store("r", r)
		a := k.gateTanh(k.fma(r, k.load("q"), k.load("a")))
		k.store("a", a)
		z := k.gateSigmoid(k.load("z"))
		k.store("z", z)
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

// gateSigmoid is 1/(1+exp(-x)).
func (k *kernel) gateSigmoid(x VecVirtual) VecVirtual {
	e := k.exponential(k.negative(x))
	one := k.copy(k.constant(1))
	return k.divide(one, k.add(k.scale(k.add(e.high, one), e), one))
}

// gateTanh is -m/(2+m) with m = exp(-2|x|) - 1.
func (k *kernel) gateTanh(x VecVirtual) VecVirtual {
	u := k.most(k.copy(k.constant(-20)), k.or(k.add(x, x), k.bits(0x80000000)))
	e := k.exponential(u)
	one := k.copy(k.constant(1))
	s := k.scale(one, e)
	m := k.fma(s, e.high, k.subtract(s, one))
	return k.or(k.abs(k.divide(m, k.add(m, k.constant(2)))), k.signOf(x))
}
