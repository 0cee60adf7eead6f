package main

func arithmetic(f *file) {
	f.elementwise("add", "dst a b", "", func(k *kernel) { k.store("dst", k.add(k.load("a"), k.load("b"))) })
	f.elementwise("subtract", "dst a b", "", func(k *kernel) { k.store("dst", k.subtract(k.load("a"), k.load("b"))) })
	f.elementwise("multiply", "dst a b", "", func(k *kernel) { k.store("dst", k.multiply(k.load("a"), k.load("b"))) })
	f.elementwise("divide", "dst a b", "", func(k *kernel) { k.store("dst", k.divide(k.load("a"), k.load("b"))) })
	f.elementwise("scale", "dst src", "factor", func(k *kernel) {
		k.store("dst", k.multiply(k.load("src"), k.scalar("factor")))
	})
	f.elementwise("addScaled", "dst src", "factor", func(k *kernel) {
		k.store("dst", k.fma(k.load("src"), k.scalar("factor"), k.load("dst")))
	})
	f.elementwise("shift", "dst src", "term", func(k *kernel) {
		k.store("dst", k.add(k.load("src"), k.scalar("term")))
	})
	f.elementwise("relu", "dst src", "", func(k *kernel) {
		k.store("dst", k.most(k.copy(k.constant(0)), k.load("src")))
	})
	f.elementwise("reluGradient", "dy y", "", func(k *kernel) {
		k.store("dy", k.zeroWhere(k.load("dy"), k.load("y"), lessEqual, k.constant(0)))
	})
	f.elementwise("sigmoidGradient", "dy y", "", func(k *kernel) {
		y := k.load("y")
		k.store("dy", k.multiply(k.load("dy"), k.fmaNegative(y, y, y)))
	})
	f.elementwise("tanhGradient", "dy y", "", func(k *kernel) {
		y := k.load("y")
		k.store("dy", k.multiply(k.load("dy"), k.fmaNegative(y, y, k.constant(1))))
	})
}
