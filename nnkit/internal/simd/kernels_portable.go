//go:build !amd64 || purego

package simd

// machineSets returns nothing: this machine has the portable loops only.
func machineSets() []*Set { return nil }

// partInTiles leaves it to the portable way.
func (p *Product) partInTiles(_, _, _, _ int) bool { return false }

func (s *strip) inTiles() bool { return false }

func transpose(dst []float32, width int, src []float32, stride, lines, k int) {
	transposeGo(dst, width, src, stride, lines, k)
}

func tileSize(int) (rows, columns int) { return goTileRows, goTileColumns }

func (w *windows) inVectors() bool { return false }
