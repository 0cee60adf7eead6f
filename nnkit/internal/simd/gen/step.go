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
	f.elementwise("centredRMSProp", "w g a mean", "rate rho rest epsilon keep", func(k *kernel) {
		k.store("w", k.fmaMinus(k.load("w"), k.scalar("keep"), k.centred()))
	})
	f.elementwise("centredRMSPropMomentum", "w g a mean v", "rate rho rest epsilon momentum keep", func(k *kernel) {
		v := k.fma(k.load("v"), k.scalar("momentum"), k.centred())
		k.store("v", v)
		k.store("w", k.fmaMinus(k.load("w"), k.scalar("keep"), v))
	})
	const adamScalars = "rate beta1 rest1 beta2 rest2 epsilon keep"
	f.elementwise("adam", "w g m v", adamScalars, (*kernel).adam)
	f.elementwise("amsGrad", "w g m v most", adamScalars, func(k *kernel) {
		g := k.load("g")
		m, v := k.runningMean("m", g), k.runningMean("v", k.multiply(g, g))
		most := k.most(k.load("most"), v)
		k.store("most", most)
		down := k.divide(k.multiply(m, k.scalar("rate")), k.add(k.sqrt(most), k.scalar("epsilon")))
		k.store("w", k.fmaMinus(k.load("w"), k.scalar("keep"), down))
	})
	f.elementwise("adaDelta", "w g a d", "rate rho rest epsilon keep", func(k *kernel) {
		g, d := k.load("g"), k.load("d")
		a := k.runningSquare(g)
		k.store("a", a)
		size := k.sqrt(k.divide(k.add(d, k.scalar("epsilon")), k.add(a, k.scalar("epsilon"))))
		down := k.multiply(g, size)
		k.store("d", k.fma(d, k.scalar("rho"), k.multiply(k.multiply(down, down), k.scalar("rest"))))
		k.store("w", k.fmaMinus(k.load("w"), k.scalar("keep"), k.multiply(down, k.scalar("rate"))))
	})
	f.elementwise("adamax", "w g m u", "rate beta1 rest1 beta2 epsilon keep", func(k *kernel) {
		g := k.load("g")
		m := k.runningMean("m", g)
		u := k.most(k.multiply(k.load("u"), k.scalar("beta2")), k.abs(g))
		k.store("u", u)
		down := k.divide(k.multiply(m, k.scalar("rate")), k.add(u, k.scalar("epsilon")))
		k.store("w", k.fmaMinus(k.load("w"), k.scalar("keep"), down))
	})
	f.elementwise("nAdam", "w g m v", "rate ahead beta1 rest1 beta2 rest2 correction epsilon keep", func(k *kernel) {
		g := k.load("g")
		m, v := k.runningMean("m", g), k.runningMean("v", k.multiply(g, g))
		towards := k.fma(m, k.scalar("ahead"), k.multiply(g, k.scalar("rate")))
		down := k.divide(towards, k.add(k.sqrt(k.multiply(v, k.scalar("correction"))), k.scalar("epsilon")))
		k.store("w", k.fmaMinus(k.load("w"), k.scalar("keep"), down))
	})
	f.elementwise("lion", "w g m", "rate beta1 rest1 beta2 rest2 keep", func(k *kernel) {
		g, m := k.load("g"), k.load("m")
		k.store("m", k.fma(m, k.scalar("beta2"), k.multiply(g, k.scalar("rest2"))))
		c, zero := k.fma(m, k.scalar("beta1"), k.multiply(g, k.scalar("rest1"))), k.copy(k.constant(0))
		down := k.choose(c, less, zero, k.negative(k.scalar("rate")), c) // 0 and NaN stay
		down = k.choose(zero, less, c, k.scalar("rate"), down)
		k.store("w", k.fmaMinus(k.load("w"), k.scalar("keep"), down))
	})
	f.elementwise("average", "mean x", "rest", func(k *kernel) {
		mean := k.load("mean")
		k.store("mean", k.fma(k.subtract(k.load("x"), mean), k.scalar("rest"), mean))
	})
}

func (k *kernel) adam() {
	g := k.load("g")
	m, v := k.runningMean("m", g), k.runningMean("v", k.multiply(g, g))
	down := k.divide(k.multiply(m, k.scalar("rate")), k.add(k.sqrt(v), k.scalar("epsilon")))
	k.store("w", k.fmaMinus(k.load("w"), k.scalar("keep"), down))
}

// runningMean is m = beta1·m + rest1·x, or the same of v and its beta2.
func (k *kernel) runningMean(of string, x VecVirtual) VecVirtual {
	number := map[string]string{"m": "1", "v": "2"}[of]
	mean := k.fma(k.load(of), k.scalar("beta"+number), k.multiply(x, k.scalar("rest"+number)))
	k.store(of, mean)
	return mean
}

// centred is the step of the centred RMSprop: rate·g/√(a-mean²+epsilon).
func (k *kernel) centred() VecVirtual {
	g := k.load("g")
	a := k.runningSquare(g)
	k.store("a", a)
	mean := k.fma(k.load("mean"), k.scalar("rho"), k.multiply(g, k.scalar("rest")))
	k.store("mean", mean)
	return k.rooted(g, k.fmaNegative(mean, mean, a))
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
