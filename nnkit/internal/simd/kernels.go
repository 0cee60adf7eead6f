package simd

import (
	"fmt"
	"os"
	"strings"
)

//go:generate go run -C gen .

// kernels are the loops over arrays that a machine's instructions make fast. The Go function of the same name beside
// the exported one says what each computes, to the bit.
type kernels struct {
	add, subtract, multiply, divide             func(dst, a, b []float32)
	scale, addScaled                            func(dst, src []float32, factor float32)
	shift                                       func(dst, src []float32, term float32)
	relu, exp, log, tanh, sigmoid, erf          func(dst, src []float32)
	reluGradient, sigmoidGradient, tanhGradient func(dy, y []float32)
	sum, largest                                func(x []float32) float32
	dot                                         func(x, y []float32) float32
	gradientDescent                             func(w, g []float32, rate float32)
	momentum, nesterov                          func(w, g, v []float32, rate, momentum float32)
	adaGrad                                     func(w, g, a []float32, rate, epsilon float32)
	rmsProp                                     func(w, g, a []float32, rate, rho, rest, epsilon float32)
	rmsPropMomentum                             func(w, g, a, v []float32, rate, rho, rest, epsilon, momentum float32)
	adam                                        func(w, g, m, v []float32, rate, beta1, rest1, beta2, rest2, epsilon, keep float32)
	lstmState                                   func(i, f, g, c []float32)
	lstmOutput                                  func(o, c, h []float32)
	lstmGradient                                func(i, f, g, o, c, dc, dh []float32)
	gruReset                                    func(a, r, q []float32)
	gruState                                    func(a, z, h []float32)
	gruGradient                                 func(a, z, r, q, h, dh []float32)
	expm1, log1p                                func(dst, src []float32)
	sqrt, rsqrt, square, abs, negate, sign      func(dst, src []float32)
	minimum, maximum                            func(dst, a, b []float32)
	clip, clipGradient                          func(x, y []float32, low, high float32)
	gelu, tanhGELU, silu, softplus              func(dst, src []float32)
	softsign, mish, hardSigmoid, hardSwish      func(dst, src []float32)
	geluGradient, tanhGELUGradient              func(dy, x []float32)
	siluGradient, mishGradient                  func(dy, x []float32)
	hardSwishGradient                           func(dy, x []float32)
	softplusGradient, softsignGradient          func(dy, y []float32)
	hardSigmoidGradient                         func(dy, y []float32)
	elu, eluGradient                            func(x, y []float32, scale, alpha float32)
	leakyReLU, leakyReLUGradient                func(x, y []float32, slope float32)
	moments                                     func(x []float32, center float32) (total, squares float32)
	layerSums                                   func(dy, x, gamma []float32, center, factor, shift float32) (plain, weighted float32)
	normalize                                   func(dst, src, gamma, beta []float32, center, factor, shift float32)
	layerGradient                               func(dx, dy, x, gamma, dgamma, dbeta []float32, center, factor, shift, plain, weighted float32)
	columnMoments                               func(total, squares, x, center []float32)
	columnNormalize                             func(dst, src, center, factor, beta []float32)
	columnSums                                  func(plain, weighted, dy, x, center []float32)
	columnGradient                              func(dx, dy, x, center, factor, slope, term []float32)
	scaleAdd                                    func(dst, src, term []float32, factor float32)
	expSum                                      func(dst, src []float32, top float32) float32
	expTotal                                    func(src []float32, top float32) float32
	softmaxGradient                             func(dy, y []float32, sum, scale float32)
	logSoftmaxGradient                          func(dy, y []float32, sum float32)
	softmaxRows, softmaxNarrow, logSoftmaxRows  func(dst, src, mask, stats []float32, rows, width, dstRow, srcRow, maskRow, seen, grow int, scale, least float32)
	softmaxGradientRows                         func(dy, y []float32, rows, width, dyRow, yRow int, scale float32)
	logSoftmaxGradientRows                      func(dy, y []float32, rows, width, dyRow, yRow int)
	sumRows                                     func(dst, src []float32, rows, width, srcRow int)
	dropout                                     func(dst, src []float32, c0, c1, c2, c3, k0, k1 uint32, rate, factor float32)
	fillUniform                                 func(dst []float32, c0, c1, c2, c3, k0, k1 uint32, low, span float32)
	fillNormal                                  func(dst []float32, c0, c1, c2, c3, k0, k1 uint32, mean, deviation float32)
	centredRMSProp                              func(w, g, a, mean []float32, rate, rho, rest, epsilon, keep float32)
	centredRMSPropMomentum                      func(w, g, a, mean, v []float32, rate, rho, rest, epsilon, momentum, keep float32)
	amsGrad                                     func(w, g, m, v, most []float32, rate, beta1, rest1, beta2, rest2, epsilon, keep float32)
	adaDelta                                    func(w, g, a, d []float32, rate, rho, rest, epsilon, keep float32)
	adamax                                      func(w, g, m, u []float32, rate, beta1, rest1, beta2, epsilon, keep float32)
	nAdam                                       func(w, g, m, v []float32, rate, ahead, beta1, rest1, beta2, rest2, correction, epsilon, keep float32)
	lion                                        func(w, g, m []float32, rate, beta1, rest1, beta2, rest2, keep float32)
	average                                     func(mean, x []float32, rest float32)
	addRows, subtractRows, multiplyRows         rowsOperation
	divideRows, minimumRows, maximumRows        rowsOperation
	equalRows, lessRows, lessEqualRows          rowsOperation
	where                                       func(dst, condition, a, b []float32)
	logisticLoss                                func(dst, z, y []float32)
	logisticGradient                            func(grad, z, y []float32, factor float32)
	peak                                        func(rounds int)
}

// Set is a set of kernels, one of [Sets].
type Set struct {
	name    string
	lanes   int // of float32 in a vector
	kernels *kernels
}

// String returns the name: "avx512", "avx2" or "go".
func (s *Set) String() string { return s.name }

var portable = &Set{name: "go", lanes: 1, kernels: &kernels{
	add: addGo, subtract: subtractGo, multiply: multiplyGo, divide: divideGo,
	scale: scaleGo, addScaled: addScaledGo, shift: shiftGo,
	relu: reluGo, exp: expGo, log: logGo, tanh: tanhGo, sigmoid: sigmoidGo, erf: erfGo,
	reluGradient: reluGradientGo, sigmoidGradient: sigmoidGradientGo, tanhGradient: tanhGradientGo,
	sum: sumGo, largest: largestGo, dot: dotGo,
	gradientDescent: gradientDescentGo, momentum: momentumGo, nesterov: nesterovGo, adaGrad: adaGradGo,
	rmsProp: rmsPropGo, rmsPropMomentum: rmsPropMomentumGo, adam: adamGo,
	lstmState: lstmStateGo, lstmOutput: lstmOutputGo, lstmGradient: lstmGradientGo,
	gruReset: gruResetGo, gruState: gruStateGo, gruGradient: gruGradientGo,
	expm1: expm1Go, log1p: log1pGo, sqrt: sqrtGo, rsqrt: rsqrtGo, square: squareGo, abs: absGo, negate: negateGo,
	sign: signGo, minimum: minimumGo, maximum: maximumGo, clip: clipGo, clipGradient: clipGradientGo,
	gelu: geluGo, geluGradient: geluGradientGo, tanhGELU: tanhGELUGo, tanhGELUGradient: tanhGELUGradientGo,
	silu: siluGo, siluGradient: siluGradientGo, elu: eluGo, eluGradient: eluGradientGo,
	leakyReLU: leakyReLUGo, leakyReLUGradient: leakyReLUGradientGo, softplus: softplusGo,
	softplusGradient: softplusGradientGo, softsign: softsignGo, softsignGradient: softsignGradientGo,
	mish: mishGo, mishGradient: mishGradientGo,
	hardSigmoid: hardSigmoidGo, hardSigmoidGradient: hardSigmoidGradientGo,
	hardSwish: hardSwishGo, hardSwishGradient: hardSwishGradientGo,
	moments: momentsGo, layerSums: layerSumsGo, normalize: normalizeGo, layerGradient: layerGradientGo,
	columnMoments: columnMomentsGo, columnNormalize: columnNormalizeGo,
	columnSums: columnSumsGo, columnGradient: columnGradientGo,
	scaleAdd: scaleAddGo, expSum: expSumGo, expTotal: expTotalGo,
	softmaxGradient: softmaxGradientGo, logSoftmaxGradient: logSoftmaxGradientGo,
	softmaxRows: softmaxRowsGo, softmaxNarrow: softmaxRowsGo, logSoftmaxRows: logSoftmaxRowsGo,
	softmaxGradientRows: softmaxGradientRowsGo, logSoftmaxGradientRows: logSoftmaxGradientRowsGo,
	sumRows:        sumRowsGo,
	centredRMSProp: centredRMSPropGo, centredRMSPropMomentum: centredRMSPropMomentumGo, amsGrad: amsGradGo,
	adaDelta: adaDeltaGo, adamax: adamaxGo, nAdam: nAdamGo, lion: lionGo, average: averageGo,
	addRows: addRowsGo, subtractRows: subtractRowsGo, multiplyRows: multiplyRowsGo, divideRows: divideRowsGo,
	minimumRows: minimumRowsGo, maximumRows: maximumRowsGo, equalRows: equalRowsGo, lessRows: lessRowsGo,
	lessEqualRows: lessEqualRowsGo, where: whereGo,
	logisticLoss: logisticLossGo, logisticGradient: logisticGradientGo,
	dropout: dropoutGo, fillUniform: fillUniformGo, fillNormal: fillNormalGo,
	peak: peakGo,
}}

// sets are those that this machine can run, the fastest first; active is the one in use.
var (
	sets   = append(machineSets(), portable)
	active = chosen(os.Getenv("NNKIT_SIMD"))
)

func chosen(name string) *Set {
	if s, err := Find(name); err == nil {
		return s
	}
	return sets[0]
}

// Sets returns the sets that this machine can run, the fastest first and "go" last. The first is in use unless the
// environment variable NNKIT_SIMD names another of them when the program starts. All give the same bits.
func Sets() []*Set { return append([]*Set(nil), sets...) }

// Active returns the set in use.
func Active() *Set { return active }

// Use puts a set into use, for tests and measurements: nothing may run in it meanwhile.
func Use(s *Set) { active = s }

// Find returns a set by its name.
func Find(name string) (*Set, error) {
	var names []string
	for _, s := range sets {
		if s.name == name {
			return s, nil
		}
		names = append(names, s.name)
	}
	return nil, fmt.Errorf("there are no kernels %q on this machine: choose from %s", name, strings.Join(names, ", "))
}

// A call of assembly cannot be preempted, and a collection that begins must wait for it. So arrays are taken in parts
// of so many elements, which keep each call below some 2 µs.
const part = 2048

// inParts calls f for each part of two arrays.
func inParts(f func(dst, src []float32), dst, src []float32) {
	src = src[:len(dst)]
	for len(dst) > part {
		f(dst[:part], src[:part])
		dst, src = dst[part:], src[part:]
	}
	f(dst, src)
}
