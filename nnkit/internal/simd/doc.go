// Package simd holds the float32 loops under nnkit: matrix products, activations and their gradients, optimizer steps.
// They check nothing; the caller has checked the shapes.
//
// This is the portable form, and the specification for any faster one: every product is rounded to float32 before it is
// added (the conversion float32(x*y) forbids the compiler to fuse, which it would do on some machines only), every
// element of a matrix product is one chain of additions in ascending order, and exp and log are our own, since those of
// package math differ between machines. So the bits are the same everywhere.
//
// A function's slices have one length, unless its comment says otherwise; they do not overlap except where one is
// updated in place.
package simd
