package main

import (
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// machineFile has what tells the machines apart, and what they can do at most.
func machineFile(f *file) {
	const cpuid = "(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)"
	f.declarations.declare("cpuid", cpuid)
	f.function("cpuid", "func"+cpuid)
	f.Load(f.Param("leaf"), EAX)
	f.Load(f.Param("subleaf"), ECX)
	f.CPUID()
	for i, r := range []Register{EAX, EBX, ECX, EDX} {
		f.Store(r, f.ReturnIndex(i))
	}
	f.RET()

	const xgetbv = "() (eax, edx uint32)"
	f.declarations.declare("xgetbv", xgetbv)
	f.function("xgetbv", "func"+xgetbv)
	f.XORL(ECX, ECX)
	f.XGETBV()
	f.Store(EAX, f.ReturnIndex(0))
	f.Store(EDX, f.ReturnIndex(1))
	f.RET()

	for _, m := range machines {
		f.peak(m)
	}
}

// peak writes a loop of 24 multiply-adds of whole vectors that touch no memory.
func (f *file) peak(m machine) {
	f.declarations.declare("peak"+m.name, "(rounds int)")
	f.declarations.enter(m, "peak", "peak"+m.name)
	f.function("peak"+m.name, "func(rounds int)")
	f.Load(f.Param("rounds"), RCX)
	r, chains := registers(m), 12
	for i := range chains + 2 {
		f.VXORPS(r[i], r[i], r[i])
	}
	f.Label("loop")
	for i := range 24 {
		f.VFMADD231PS(r[chains], r[chains+1], r[i%chains])
	}
	f.DECQ(RCX)
	f.JNZ(LabelRef("loop"))
	f.VZEROUPPER()
	f.RET()
}
