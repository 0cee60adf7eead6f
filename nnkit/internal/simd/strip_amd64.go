//go:build !purego

package simd

// calls is what a call of a tile takes on, so that it keeps the processor for 2 µs at most: many lines of tiles if all
// of k is in one call, or many runs, or one of the pieces of a run.
type calls struct{ lines, runs, pieces int }

// inTiles computes the strip in tiles that fit the registers, for the sets that have them.
func (s *strip) inTiles() bool {
	if active == portable {
		return false
	}
	s.join()
	var w tiling
	w.shape = tileShape()
	s.turn(&w)
	s.check()
	rows := &s.rows
	w.i1 = rows[0].n
	w.count = (w.i1 + w.shape.rows - 1) / w.shape.rows
	w.tile.aRow, w.tile.aColumn, w.tile.aLine = uintptr(rows[0].a)*4, uintptr(s.aColumn)*4, uintptr(rows[1].a)*4
	w.tile.bRow = uintptr(s.bRow) * 4
	w.tile.aNext = uintptr(s.aInner-s.run*s.aColumn) * 4
	w.tile.bNext = uintptr((s.bInner-s.run)*s.bRow) * 4
	w.tile.cRow, w.tile.cLine = uintptr(rows[0].c)*4, uintptr(rows[1].c)*4
	w.tile.gateRow = w.tile.cRow
	vectors := 2
	if w.i1 <= w.few {
		vectors = 4
	}
	for i := range rows[2].n {
		for j, n := 0, 0; j < s.n; j += n {
			n = w.columns(vectors, s.n-j)
			by := s.calls(&w)
			for line := 0; line < rows[1].n; line += by.lines {
				lines := min(by.lines, rows[1].n-line)
				a, c := i*rows[2].a+line*rows[1].a, i*rows[2].c+line*rows[1].c+j
				for t := range w.count {
					var row int
					row, w.tile.rows = w.rowsOf(t)
					w.tile.lines = lines
					s.tile(&w, by, a+row*rows[0].a, j, c+row*rows[0].c)
				}
			}
		}
	}
	return true
}

// join makes one of sides, and of runs, that follow each other.
func (s *strip) join() {
	for range 2 {
		switch {
		case s.run == 1 && s.bInner == 1:
			s.run, s.aColumn, s.inner = s.inner, s.aInner, 1
		case s.aInner == s.run*s.aColumn && s.bInner == s.run:
			s.run, s.inner = s.run*s.inner, 1
		}
		if s.inner == 1 {
			s.inner, s.aInner, s.bInner = s.outer, s.aOuter, s.bOuter
			s.outer, s.aOuter, s.bOuter = 1, 0, 0
		}
	}
	if s.overlapping {
		return
	}
	r := &s.rows
	for range 2 {
		if r[0].n == 1 {
			r[0], r[1] = r[1], r[0]
		}
		if r[1].n == 1 || r[1].a == r[0].n*r[0].a && r[1].c == r[0].n*r[0].c {
			r[0].n *= r[1].n
			r[1], r[2] = r[2], side{n: 1}
		}
	}
}

// turn puts the side in front along which tiles are fastest: few of them, high enough that a multiply-add need not wait
// for the one before.
func (s *strip) turn(w *tiling) {
	if s.overlapping {
		return
	}
	best, least := 0, 0
	vectors := min(2, (s.n+w.lanes-1)/w.lanes)
	for i, r := range s.rows {
		count := (r.n + w.shape.rows - 1) / w.shape.rows
		cost := (max(8*count, r.n*vectors) + count) * s.rows[(i+1)%3].n * s.rows[(i+2)%3].n
		if i == 0 || cost < least {
			best, least = i, cost
		}
	}
	s.rows[0], s.rows[best] = s.rows[best], s.rows[0]
}

// check panics where the last elements are outside of their slices: assembly would write there.
func (s *strip) check() {
	a, c := 0, s.n-1
	for _, r := range s.rows {
		a += (r.n - 1) * r.a
		c += (r.n - 1) * r.c
	}
	_ = s.a[a+(s.outer-1)*s.aOuter+(s.inner-1)*s.aInner+(s.run-1)*s.aColumn]
	_ = s.b[((s.outer-1)*s.bOuter+(s.inner-1)*s.bInner+s.run-1)*s.bRow+s.n-1]
	_ = s.c[c]
	if s.start != nil {
		_ = s.start[s.n-1]
	}
	if s.gate != nil {
		_ = s.gate[c]
	}
}

// calls divides the work of the highest tiles.
func (s *strip) calls(w *tiling) calls {
	high := (w.i1 + w.count - 1) / w.count
	most := 14 * depth / max(4, high*w.tile.vectors/2) // steps that take 2 µs
	// Between two runs the time of about two steps is lost, and between two lines more.
	const betweenRuns, betweenLines = 2, 8
	switch at := max(1, most/(s.run+betweenRuns)); {
	case s.run > most:
		return calls{1, 1, (s.run + most - 1) / most}
	case s.inner > at:
		n := (s.inner + at - 1) / at
		return calls{1, (s.inner + n - 1) / n, 1}
	case s.outer > 1:
		return calls{1, s.inner, 1}
	default:
		return calls{max(1, most/(s.inner*(s.run+betweenRuns)+betweenLines)), s.inner, 1}
	}
}

// tile computes the tile whose first row begins at a in A, and whose first element is c in C, in column j, and the tiles
// of the same place in the lines below it.
func (s *strip) tile(w *tiling, by calls, a, j, c int) {
	t := &w.tile
	t.c, t.start, t.gate, t.relu = &s.c[c], nil, nil, 0
	switch {
	case s.add:
		t.start, t.startRow, t.startLine = t.c, t.cRow, t.cLine
	case s.start != nil:
		t.start, t.startRow, t.startLine = &s.start[j], 0, 0
	}
	for outer := range s.outer {
		for inner := 0; inner < s.inner; inner += by.runs {
			t.runs = min(by.runs, s.inner-inner)
			a, b := a+outer*s.aOuter+inner*s.aInner, outer*s.bOuter+inner*s.bInner
			for piece := range by.pieces {
				k := piece * s.run / by.pieces
				t.k = (piece+1)*s.run/by.pieces - k
				t.a, t.b = &s.a[a+k*s.aColumn], &s.b[(b+k)*s.bRow+j]
				if outer == s.outer-1 && inner+by.runs >= s.inner && piece == by.pieces-1 {
					if s.relu {
						t.relu = 1
					}
					if s.gate != nil {
						t.gate = &s.gate[c]
					}
				}
				w.multiply()
				t.start, t.startRow = t.c, t.cRow
			}
		}
	}
}

// tileSize returns the size of tiles into which so many rows are best cut.
func tileSize(rows int) (height, width int) {
	w := tileShape()
	switch {
	case active == portable:
		return goTileRows, goTileColumns
	case rows <= w.few:
		return w.few, 4 * w.lanes
	}
	count := (rows + w.rows - 1) / w.rows
	return (rows + count - 1) / count, 2 * w.lanes
}
