package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/reg"
)

func normalization(f *file) {
	f.twoSums("moments", "x", "center", "total squares", func(k *kernel, at int, total, squares VecVirtual) (VecVirtual, VecVirtual) {
		d := k.only(k.subtract(k.loadAt("x", at), k.scalar("center")), 0)
		return k.add(total, d), k.fma(d, d, squares)
	})
	f.twoSums("layerSums", "dy x gamma", "center factor shift", "plain weighted",
		func(k *kernel, at int, plain, weighted VecVirtual) (VecVirtual, VecVirtual) {
			g := k.multiply(k.loadAt("dy", at), k.loadAt("gamma", at))
			z := k.only(k.standardized(k.loadAt("x", at)), 0)
			return k.add(plain, g), k.fma(g, z, weighted)
		})
	f.elementwise("normalize", "dst src gamma beta", "center factor shift", func(k *kernel) {
		k.store("dst", k.fma(k.standardized(k.load("src")), k.load("gamma"), k.load("beta")))
	})
	f.elementwise("layerGradient", "dx dy x gamma dgamma dbeta", "center factor shift plain weighted", func(k *kernel) {
		dy, z := k.load("dy"), k.standardized(k.load("x"))
		k.store("dbeta", k.add(k.load("dbeta"), dy))
		k.store("dgamma", k.fma(dy, z, k.load("dgamma")))
		g := k.subtract(k.multiply(dy, k.load("gamma")), k.scalar("plain"))
		k.store("dx", k.multiply(k.fmaNegative(z, k.scalar("weighted"), g), k.scalar("factor")))
	})
	f.elementwise("columnMoments", "total squares x center", "", func(k *kernel) {
		d := k.subtract(k.load("x"), k.load("center"))
		k.store("total", k.add(k.load("total"), d))
		k.store("squares", k.fma(d, d, k.load("squares")))
	})
	f.elementwise("columnNormalize", "dst src center factor beta", "", func(k *kernel) {
		k.store("dst", k.fma(k.subtract(k.load("src"), k.load("center")), k.load("factor"), k.load("beta")))
	})
	f.elementwise("columnSums", "plain weighted dy x center", "", func(k *kernel) {
		dy := k.load("dy")
		k.store("plain", k.add(k.load("plain"), dy))
		k.store("weighted", k.fma(dy, k.subtract(k.load("x"), k.load("center")), k.load("weighted")))
	})
	f.elementwise("columnGradient", "dx dy x center factor slope term", "", func(k *kernel) {
		rest := k.fma(k.subtract(k.load("x"), k.load("center")), k.load("slope"), k.load("term"))
		k.store("dx", k.fma(k.load("dy"), k.load("factor"), rest))
	})
}

// standardized is (x - center)·factor + shift.
func (k *kernel) standardized(x VecVirtual) VecVirtual {
	return k.fma(k.subtract(x, k.scalar("center")), k.scalar("factor"), k.scalar("shift"))
}

// twoSums writes a reduction to two sums. body returns the chains of both with the vectors at an offset taken in.
func (f *file) twoSums(name, arrays, scalars, results string,
	body func(k *kernel, at int, first, second VecVirtual) (VecVirtual, VecVirtual),
) {
	for _, m := range machines {
		k := f.begin(m, name, parameters{arrays: arrays, scalars: scalars, result: strings.Join(strings.Fields(results), ", ")})
		first, second := k.chains(0), k.chains(0)
		k.reduce(strings.Fields(arrays), func(i int) {
			a, b := body(k, i*m.bytes(), first[i], second[i])
			k.VMOVAPS(a, first[i])
			k.VMOVAPS(b, second[i])
		})
		k.Store(k.foldChains(first, (*kernel).add).AsX(), k.ReturnIndex(0))
		k.Store(k.foldChains(second, (*kernel).add).AsX(), k.ReturnIndex(1))
		k.VZEROUPPER()
		k.RET()
	}
}
