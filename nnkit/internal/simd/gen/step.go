package main

import . "github.com/mmcloughlin/avo/reg"

func step(f *file) {
	f.elementwise("gradientDescent", "w g", "rate", func(k *kernel) {
		k.store("w", k.fmaNegative(k.load("g"), k.scalar("rate"), k.load("w")))
	})
	f.elementwise("momentum", "w g v", "rate momentum", func(k *kernel) {
		v := k.velocity(k.multiply(k.load("g"), k.scalar("rate")), k.load("v"))
		k.store("v", v)
		k.store("w", k.add(k.load("w"), v))
	})
	f.elementwise("nesterov", "w g v", "rate momentum", func(k *kernel) {
		down := k.multiply(k.load("g"), k.scalar("rate"))
		v := k.velocity(down, k.load("v"))
		k.store("v", v)
		k.store("w", k.add(k.load("w"), k.velocity(down, v)))
	})
	f.elementwise("adaGrad", "w g a", "rate epsilon", func(k *kernel) {
		g := k.load("g")
		a := k.fma(g, g, k.load("a"))
		k.store("a", a)
		k.store("w", k.subtract(k.load("w"), k.rooted(g, a)))
	})
	f.elementwise("rmsProp", "w g a", "rate rho rest epsilon", func(k *kernel) {
		g := k.load("g")
		a := k.runningSquare(g)
		k.store("a", a)
		k.store("w", k.subtract(k.load("w"), k.rooted(g, a)))
	})
	f.elementwise("rmsPropMomentum", "w g a v", "rate rho rest epsilon momentum", func(k *kernel) {
		g := k.load("g")
		a := k.runningSquare(g)
		k.store("a", a)
		v := k.fma(k.load("v"), k.scalar("momentum"), k.rooted(g, a))
		k.store("v", v)
		k.store("w", k.subtract(k.load("w"), v))
	})
	f.elementwise("adam", "w g m v", "rate beta1 rest1 beta2 rest2 epsilon keep", func(k *kernel) {
		g := k.load("g")
		m := k.fma(k.load("m"), k.scalar("beta1"), k.multiply(g, k.scalar("rest1")))
		k.store("m", m)
		v := k.fma(k.load("v"), k.scalar("beta2"), k.multiply(k.multiply(g, g), k.scalar("rest2")))
		k.store("v", v)
		down := k.divide(k.multiply(m, k.scalar("rate")), k.add(k.sqrt(v), k.scalar("epsilon")))
		k.store("w", k.fmaMinus(k.load("w"), k.scalar("keep"), down))
	})
}

// velocity is momentum·v - down.
func (k *kernel) velocity(down, v VecVirtual) VecVirtual {
	return k.fmaMinus(v, k.scalar("momentum"), down)
}

// rooted is rate·g/√(a+epsilon).
func (k *kernel) rooted(g, a VecVirtual) VecVirtual {
	return k.divide(k.multiply(g, k.scalar("rate")), k.sqrt(k.add(a, k.scalar("epsilon"))))
}

// runningSquare is rho·a + rest·g².
func (k *kernel) runningSquare(g VecVirtual) VecVirtual {
	return k.fma(k.load("a"), k.scalar("rho"), k.multiply(k.multiply(g, g), k.scalar("rest")))
}
