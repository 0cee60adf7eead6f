//go:build !purego

package simd

// machineSets asks the processor what it can do, and the system which registers it saves.
func machineSets() []*Set {
	const (
		fma     = 1 << 12 // leaf 1, ecx
		osxsave = 1 << 27
		avx     = 1 << 28

		avx2     = 1 << 5 // leaf 7, ebx
		bmi2     = 1 << 8
		avx512f  = 1 << 16
		avx512dq = 1 << 17
		avx512bw = 1 << 30
		avx512vl = 1 << 31

		ymm = 1<<1 | 1<<2 // xgetbv
		zmm = ymm | 1<<5 | 1<<6 | 1<<7
	)
	most, _, _, _ := cpuid(0, 0)
	if most < 7 {
		return nil
	}
	_, _, first, _ := cpuid(1, 0)
	if !has(first, fma|osxsave|avx) {
		return nil
	}
	saved, _ := xgetbv()
	_, seventh, _, _ := cpuid(7, 0)
	if !has(saved, ymm) || !has(seventh, avx2) {
		return nil
	}
	found := []*Set{{name: "avx2", lanes: 8, kernels: &kernelsAVX2}}
	if has(saved, zmm) && has(seventh, bmi2|avx512f|avx512dq|avx512bw|avx512vl) {
		wide := &Set{name: "avx512", lanes: 16, kernels: &kernelsAVX512}
		found = append([]*Set{wide}, found...)
	}
	return found
}

func has(word, bits uint32) bool { return word&bits == bits }
