//go:build !amd64 || purego

package simd

// machineSets returns nothing: this machine has the portable loops only.
func machineSets() []*Set { return nil }

// partInTiles leaves it to the portable way.
func (p *Product) partInTiles(_, _, _, _ int) bool { return false }
