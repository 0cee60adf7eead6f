package simd

// Add is dst = a + b, element by element. dst may be a or b, here and below.
func Add(dst, a, b []float32) { inThreeParts(active.kernels.add, dst, a, b) }

// Subtract is dst = a - b.
func Subtract(dst, a, b []float32) { inThreeParts(active.kernels.subtract, dst, a, b) }

// Multiply is dst = a·b.
func Multiply(dst, a, b []float32) { inThreeParts(active.kernels.multiply, dst, a, b) }

// Divide is dst = a/b.
func Divide(dst, a, b []float32) { inThreeParts(active.kernels.divide, dst, a, b) }

func inThreeParts(f func(dst, a, b []float32), dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for len(dst) > part {
		f(dst[:part], a[:part], b[:part])
		dst, a, b = dst[part:], a[part:], b[part:]
	}
	f(dst, a, b)
}

// Scale is dst = factor·src.
func Scale(dst, src []float32, factor float32) { inScaledParts(active.kernels.scale, dst, src, factor) }

// AddScaled is dst += factor·src.
func AddScaled(dst, src []float32, factor float32) {
	inScaledParts(active.kernels.addScaled, dst, src, factor)
}

// Shift is dst = src + term.
func Shift(dst, src []float32, term float32) { inScaledParts(active.kernels.shift, dst, src, term) }

func inScaledParts(f func(dst, src []float32, k float32), dst, src []float32, k float32) {
	src = src[:len(dst)]
	for len(dst) > part {
		f(dst[:part], src[:part], k)
		dst, src = dst[part:], src[part:]
	}
	f(dst, src, k)
}

// ReLU is dst = max(src, 0). It keeps a NaN, as PyTorch does.
func ReLU(dst, src []float32) { inParts(active.kernels.relu, dst, src) }

// ReLUGradient sets dy to 0 where y, the value of ReLU, is 0.
func ReLUGradient(dy, y []float32) { inParts(active.kernels.reluGradient, dy, y) }

// SigmoidGradient multiplies dy by y·(1-y), y being the value of Sigmoid.
func SigmoidGradient(dy, y []float32) { inParts(active.kernels.sigmoidGradient, dy, y) }

// TanhGradient multiplies dy by 1-y², y being the value of Tanh.
func TanhGradient(dy, y []float32) { inParts(active.kernels.tanhGradient, dy, y) }

func addGo(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func subtractGo(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

func multiplyGo(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

func divideGo(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] / b[i]
	}
}

func scaleGo(dst, src []float32, factor float32) {
	for i := range dst {
		dst[i] = src[i] * factor
	}
}

func addScaledGo(dst, src []float32, factor float32) {
	for i := range dst {
		dst[i] = fma(src[i], factor, dst[i])
	}
}

func shiftGo(dst, src []float32, term float32) {
	for i := range dst {
		dst[i] = src[i] + term
	}
}

func reluGo(dst, src []float32) {
	for i, v := range src {
		dst[i] = relu(v)
	}
}

func relu(x float32) float32 {
	if x < 0 {
		return 0
	}
	return x
}

func reluGradientGo(dy, y []float32) {
	for i, v := range y {
		if v <= 0 {
			dy[i] = 0
		}
	}
}

func sigmoidGradientGo(dy, y []float32) {
	for i, v := range y {
		dy[i] *= fma(-v, v, v)
	}
}

func tanhGradientGo(dy, y []float32) {
	for i, v := range y {
		dy[i] *= fma(-v, v, 1)
	}
}
