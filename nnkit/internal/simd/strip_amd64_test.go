//go:build !purego

package simd

import "testing"

// No call of a tile takes more than 2 µs, however its work is shaped.
func TestStripCallsAreShort(t *testing.T) {
	for _, shape := range []shape{shapeAVX512, shapeAVX2} {
		for high := 1; high <= shape.rows; high++ {
			for _, run := range []int{1, 5, 96, 512, 5000} {
				for _, inner := range []int{1, 3, 100, 3000} {
					for outer := 1; outer < 3; outer++ {
						s := strip{outer: outer, inner: inner, run: run}
						w := tiling{shape: shape, i1: high, count: 1}
						w.tile.vectors = 2
						by := s.calls(&w)
						steps := by.lines * by.runs * ((run + by.pieces - 1) / by.pieces)
						if c := steps * max(4, high); c > 14*depth || steps < 1 {
							t.Errorf("%d rows, %d×%d×%d steps: a call of %+v takes %d cycles", high, outer, inner, run, by, c)
						}
						if by.lines > 1 && (outer > 1 || by.runs < inner || by.pieces > 1) {
							t.Errorf("%d rows, %d×%d×%d steps: lines of tiles that are not whole: %+v", high, outer, inner, run, by)
						}
					}
				}
			}
		}
	}
}
