package simd

import (
	"math"
	"testing"
)

// elementwise are all functions that treat each element by itself, as functions of four arrays.
var elementwise = map[string]func(x [5][]float32){
	"Add":                 func(x [5][]float32) { Add(x[0], x[1], x[2]) },
	"Subtract":            func(x [5][]float32) { Subtract(x[0], x[1], x[2]) },
	"Multiply":            func(x [5][]float32) { Multiply(x[0], x[1], x[2]) },
	"Divide":              func(x [5][]float32) { Divide(x[0], x[1], x[2]) },
	"Scale":               func(x [5][]float32) { Scale(x[0], x[1], 0.7) },
	"AddScaled":           func(x [5][]float32) { AddScaled(x[0], x[1], 0.7) },
	"Shift":               func(x [5][]float32) { Shift(x[0], x[1], 0.7) },
	"ReLU":                func(x [5][]float32) { ReLU(x[0], x[1]) },
	"ReLUGradient":        func(x [5][]float32) { ReLUGradient(x[0], x[1]) },
	"SigmoidGradient":     func(x [5][]float32) { SigmoidGradient(x[0], x[1]) },
	"TanhGradient":        func(x [5][]float32) { TanhGradient(x[0], x[1]) },
	"Exp":                 func(x [5][]float32) { Exp(x[0], x[1]) },
	"Log":                 func(x [5][]float32) { Log(x[0], x[1]) },
	"Sigmoid":             func(x [5][]float32) { Sigmoid(x[0], x[1]) },
	"Tanh":                func(x [5][]float32) { Tanh(x[0], x[1]) },
	"Erf":                 func(x [5][]float32) { Erf(x[0], x[1]) },
	"GradientDescent":     func(x [5][]float32) { GradientDescent(x[0], x[1], 0.1) },
	"Momentum":            func(x [5][]float32) { Momentum(x[0], x[1], x[2], 0.1, 0.9, false) },
	"Nesterov":            func(x [5][]float32) { Momentum(x[0], x[1], x[2], 0.1, 0.9, true) },
	"AdaGrad":             func(x [5][]float32) { AdaGrad(x[0], x[1], x[2], 0.1, 1e-7) },
	"RMSprop":             func(x [5][]float32) { RMSprop(x[0], x[1], x[2], 0.1, 0.9, 0.1, 1e-7) },
	"RMSpropMomentum":     func(x [5][]float32) { RMSpropMomentum(x[0], x[1], x[2], x[3], 0.1, 0.9, 0.1, 1e-7, 0.9) },
	"Sine":                func(x [5][]float32) { Sine(x[0], x[1]) },
	"Cosine":              func(x [5][]float32) { Cosine(x[0], x[1]) },
	"Expm1":               func(x [5][]float32) { Expm1(x[0], x[1]) },
	"Log1p":               func(x [5][]float32) { Log1p(x[0], x[1]) },
	"Sqrt":                func(x [5][]float32) { Sqrt(x[0], x[1]) },
	"Rsqrt":               func(x [5][]float32) { Rsqrt(x[0], x[1]) },
	"Square":              func(x [5][]float32) { Square(x[0], x[1]) },
	"Abs":                 func(x [5][]float32) { Abs(x[0], x[1]) },
	"Negate":              func(x [5][]float32) { Negate(x[0], x[1]) },
	"Sign":                func(x [5][]float32) { Sign(x[0], x[1]) },
	"GELU":                func(x [5][]float32) { GELU(x[0], x[1]) },
	"GELUGradient":        func(x [5][]float32) { GELUGradient(x[0], x[1]) },
	"TanhGELU":            func(x [5][]float32) { TanhGELU(x[0], x[1]) },
	"TanhGELUGradient":    func(x [5][]float32) { TanhGELUGradient(x[0], x[1]) },
	"SiLU":                func(x [5][]float32) { SiLU(x[0], x[1]) },
	"SiLUGradient":        func(x [5][]float32) { SiLUGradient(x[0], x[1]) },
	"Softplus":            func(x [5][]float32) { Softplus(x[0], x[1]) },
	"SoftplusGradient":    func(x [5][]float32) { SoftplusGradient(x[0], x[1]) },
	"Softsign":            func(x [5][]float32) { Softsign(x[0], x[1]) },
	"SoftsignGradient":    func(x [5][]float32) { SoftsignGradient(x[0], x[1]) },
	"Mish":                func(x [5][]float32) { Mish(x[0], x[1]) },
	"MishGradient":        func(x [5][]float32) { MishGradient(x[0], x[1]) },
	"HardSigmoid":         func(x [5][]float32) { HardSigmoid(x[0], x[1]) },
	"HardSigmoidGradient": func(x [5][]float32) { HardSigmoidGradient(x[0], x[1]) },
	"HardSwish":           func(x [5][]float32) { HardSwish(x[0], x[1]) },
	"HardSwishGradient":   func(x [5][]float32) { HardSwishGradient(x[0], x[1]) },
	"Minimum":             func(x [5][]float32) { Minimum(x[0], x[1], x[2]) },
	"Maximum":             func(x [5][]float32) { Maximum(x[0], x[1], x[2]) },
	"ELU":                 func(x [5][]float32) { ELU(x[0], x[1], SELUScale, SELUAlpha) },
	"ELUGradient":         func(x [5][]float32) { ELUGradient(x[0], x[1], SELUScale, SELUAlpha) },
	"Clip":                func(x [5][]float32) { Clip(x[0], x[1], -1, 0.5) },
	"ClipGradient":        func(x [5][]float32) { ClipGradient(x[0], x[1], -1, 0.5) },
	"LeakyReLU":           func(x [5][]float32) { LeakyReLU(x[0], x[1], 0.2) },
	"LeakyReLUGradient":   func(x [5][]float32) { LeakyReLUGradient(x[0], x[1], 0.2) },
	"Adam": func(x [5][]float32) {
		Adam(x[0], x[1], x[2], x[3], &AdamStep{0.1, 0.9, 0.1, 0.999, 0.001, 1e-7, 0.99})
	},
	"CentredRMSprop": func(x [5][]float32) {
		CentredRMSprop(x[0], x[1], x[2], x[3], nil, &CentredRMSpropStep{0.1, 0.9, 0.1, 1e-7, 0, 0.99})
	},
	"CentredRMSpropMomentum": func(x [5][]float32) {
		CentredRMSprop(x[0], x[1], x[2], x[3], x[4], &CentredRMSpropStep{0.1, 0.9, 0.1, 1e-7, 0.8, 0.99})
	},
	"AMSGrad": func(x [5][]float32) {
		AMSGrad(x[0], x[1], x[2], x[3], x[4], &AdamStep{0.1, 0.9, 0.1, 0.999, 0.001, 1e-7, 0.99})
	},
	"AdaDelta": func(x [5][]float32) {
		AdaDelta(x[0], x[1], x[2], x[3], &AdaDeltaStep{0.1, 0.9, 0.1, 1e-7, 0.99})
	},
	"Adamax": func(x [5][]float32) {
		Adamax(x[0], x[1], x[2], x[3], &AdamaxStep{0.1, 0.9, 0.1, 0.999, 1e-7, 0.99})
	},
	"NAdam": func(x [5][]float32) {
		NAdam(x[0], x[1], x[2], x[3], &NAdamStep{0.1, 0.2, 0.9, 0.1, 0.999, 0.001, 1.5, 1e-7, 0.99})
	},
	"Lion":             func(x [5][]float32) { Lion(x[0], x[1], x[2], &LionStep{0.1, 0.9, 0.1, 0.99, 0.01, 0.99}) },
	"Average":          func(x [5][]float32) { Average(x[0], x[1], 0.1) },
	"LogisticLoss":     func(x [5][]float32) { LogisticLoss(x[0], x[1], x[2]) },
	"LogisticGradient": func(x [5][]float32) { LogisticGradient(x[0], x[1], x[2], 0.3) },
	"Where":            func(x [5][]float32) { Where(x[0], x[1], x[2], x[3]) },
}

// A long array, which is taken in parts, becomes what its pieces become.
func TestPartsDoNotShow(t *testing.T) {
	const n = 2*part + 100
	for name, f := range elementwise {
		whole, pieces := [5][]float32{}, [5][]float32{}
		for i := range whole {
			whole[i], pieces[i] = wild(n, i), wild(n, i)
		}
		f(whole)
		for lo := 0; lo < n; lo += 777 {
			hi := min(lo+777, n)
			f([5][]float32{pieces[0][lo:hi], pieces[1][lo:hi], pieces[2][lo:hi], pieces[3][lo:hi], pieces[4][lo:hi]})
		}
		for a := range whole {
			for i := range n {
				if !sameBits(whole[a][i], pieces[a][i]) {
					t.Fatalf("%s: element %d of array %d is %v, in pieces %v", name, i, a, whole[a][i], pieces[a][i])
				}
			}
		}
	}
}

// The simple functions against float64, rounded once, or twice where the comment's formula has two operations.
func TestArithmetic(t *testing.T) {
	const n = 100
	a, b := normals(n, 1), normals(n, 2)
	y := make([]float32, n)
	Sigmoid(y, b)
	for name, want := range map[string]func(a, b, y float64) float64{
		"Add":             func(a, b, _ float64) float64 { return a + b },
		"Subtract":        func(a, b, _ float64) float64 { return a - b },
		"Multiply":        func(a, b, _ float64) float64 { return a * b },
		"Divide":          func(a, b, _ float64) float64 { return a / b },
		"ReLU":            func(_, b, _ float64) float64 { return max(b, 0) },
		"ReLUGradient":    func(a, b, _ float64) float64 { return a * map[bool]float64{b > 0: 1}[true] },
		"Scale":           func(_, b, _ float64) float64 { return float64(float32(0.7)) * b },
		"AddScaled":       func(a, b, _ float64) float64 { return a + float64(float32(0.7))*b },
		"Shift":           func(_, b, _ float64) float64 { return b + float64(float32(0.7)) },
		"SigmoidGradient": func(a, _, y float64) float64 { return a * y * (1 - y) },
		"TanhGradient":    func(a, _, y float64) float64 { return a * (1 - y*y) },
	} {
		x := [5][]float32{append([]float32(nil), a...), b, y}
		switch name {
		case "Add", "Subtract", "Multiply", "Divide":
			x = [5][]float32{make([]float32, n), a, b}
		case "SigmoidGradient", "TanhGradient":
			x[1] = y
		}
		elementwise[name](x)
		for i, got := range x[0] {
			w := want(float64(a[i]), float64(b[i]), float64(y[i]))
			if math.Abs(float64(got)-w) > math.Abs(w)*0x1p-22 {
				t.Errorf("%s: element %d is %v, want %v", name, i, got, w)
			}
		}
	}
}
