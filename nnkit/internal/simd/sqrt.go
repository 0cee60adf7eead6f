package simd

import "math"

// sqrt is the correctly rounded float32 root, one instruction: the compiler knows the form.
func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }
