package main

func loss(f *file) {
	f.elementwise("logisticLoss", "dst z y", "", func(k *kernel) {
		z := k.load("z")
		t := k.expBelow(k.or(z, k.bits(0x80000000)))
		one := k.constant(1)
		sum := k.add(t, one)
		lost := k.subtract(t, k.subtract(sum, one))
		rest := k.add(k.logNormal(sum), lost)
		linear := k.fmaNegative(k.load("y"), z, k.most(k.copy(k.constant(0)), z))
		k.store("dst", k.add(linear, rest))
	})
	f.elementwise("logisticGradient", "grad z y", "factor", func(k *kernel) {
		k.store("grad", k.multiply(k.subtract(k.sigmoid(k.load("z")), k.load("y")), k.scalar("factor")))
	})
}
