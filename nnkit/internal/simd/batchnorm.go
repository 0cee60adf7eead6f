package simd

import "math"

// BatchNorm gives each column of (Rows, Channels) the mean 0 and the variance 1 and then gamma and beta of its channel:
// S. Ioffe and C. Szegedy, Batch normalization, ICML 2015. For pictures the rows are all places of all of them. It is a
// task in blocks of rows, to run when Mean and Variance are known: by BatchMoments from the batch itself, or by Use from
// moving averages.
//
// A row of few channels is too short to be taken by itself. So several make a wide row, along which what belongs to the
// channels is repeated; the sums of the repetitions are added in their order in the end.
type BatchNorm struct {
	Rows, Channels int
	// All is how many rows the batch has of which these are some, where others find the sums of the rest; 0 if these are all.
	All         int
	X, Y        []float32 // (Rows, Channels); Y may be X where no gradient is wanted
	Gamma, Beta []float32 // (Channels): ones and zeros where a layer has none
	Epsilon     float64
	// So many neighbouring channels have one mean and one variance, as GroupNorm wants it; 0 is 1.
	Group int

	Mean, Variance []float64 // (Channels), of the batch; the variance is the mean square, not the unbiased estimate
	Workspace      []float32 // at least WorkspaceSize numbers, of any value
	Partial        []float64 // at least PartialSize numbers, of any value
}

const (
	wideRow       = 256     // elements that a wide row has at least
	batchChunk    = 1 << 15 // elements that are summed up before they are added in float64
	mostNormParts = 64      // blocks
)

// repeat returns how many rows make a wide one.
func (b *BatchNorm) repeat() int { return (wideRow + b.Channels - 1) / max(1, b.Channels) }

// width is that of a wide row.
func (b *BatchNorm) width() int { return b.repeat() * b.Channels }

// WorkspaceSize returns how many numbers the workspace needs.
func (b *BatchNorm) WorkspaceSize() int { return (5 + 3*b.Blocks()) * b.width() }

// PartialSize returns how many numbers Partial needs.
func (b *BatchNorm) PartialSize() int { return 2 * b.Channels * b.Blocks() }

// Blocks returns into how many blocks, which may be computed at the same time, the rows are cut.
func (b *BatchNorm) Blocks() int {
	return min(max(1, b.Rows*b.Channels/batchChunk), mostNormParts)
}

// rows returns the first row of block i and the first behind it.
func (b *BatchNorm) rows(i int) (r0, r1 int) {
	n := b.Blocks()
	return i * b.Rows / n, (i + 1) * b.Rows / n
}

// wide holds what belongs to the channels, along a wide row.
type wide struct{ center, factor, beta, slope, term []float32 }

func (b *BatchNorm) wide() wide {
	n := b.width()
	at := func(i int) []float32 { return b.Workspace[i*n:][:n] }
	return wide{at(0), at(1), at(2), at(3), at(4)}
}

// scratch returns three wide rows of a block's own.
func (b *BatchNorm) scratch(i int) (first, second, third []float32) {
	n := b.width()
	s := b.Workspace[(5+3*i)*n:][:3*n]
	return s[:n], s[n : 2*n], s[2*n:]
}

// partial returns a block's two numbers of each channel.
func (b *BatchNorm) partial(i int) (first, second []float64) {
	p := b.Partial[2*b.Channels*i:][:2*b.Channels]
	return p[:b.Channels], p[b.Channels:]
}

// spread sets a wide row to what it has for each channel.
func (b *BatchNorm) spread(row []float32, of func(channel int) float64) {
	for c := range b.Channels {
		row[c] = float32(of(c))
	}
	for done := b.Channels; done < len(row); done *= 2 {
		copy(row[done:], row[:done])
	}
}

// folded is the sum of a wide row's numbers for a channel.
func (b *BatchNorm) folded(row []float32, channel int) (sum float64) {
	for at := channel; at < len(row); at += b.Channels {
		sum += float64(row[at])
	}
	return sum
}

// walk calls visit for each part of rows r0 to r1-1 in turn: where it is in the arrays, and where in a wide row.
func (b *BatchNorm) walk(r0, r1 int, visit func(lo, hi, at int)) {
	for lo, end := r0*b.Channels, r1*b.Channels; lo < end; lo += b.width() {
		next := min(lo+b.width(), end)
		for from := lo; from < next; from += part {
			visit(from, min(from+part, next), from-lo)
		}
	}
}

// chunks calls visit for so many rows at once as are summed up in float32.
func (b *BatchNorm) chunks(r0, r1 int, visit func(r0, r1 int)) {
	rows := max(b.repeat(), batchChunk/max(1, b.width())*b.repeat())
	for ; r0 < r1; r0 += rows {
		visit(r0, min(r0+rows, r1))
	}
}

// Block computes block i.
func (b *BatchNorm) Block(i int) {
	r0, r1 := b.rows(i)
	w := b.wide()
	b.walk(r0, r1, func(lo, hi, at int) {
		n := at + hi - lo
		active.kernels.columnNormalize(b.Y[lo:hi], b.X[lo:hi], w.center[at:n], w.factor[at:n], w.beta[at:n])
	})
}

// Use takes the mean and the variance from moving averages, for predictions.
func (b *BatchNorm) Use(mean, variance []float32) {
	for c := range b.Channels {
		b.Mean[c], b.Variance[c] = float64(mean[c]), float64(variance[c])
	}
	b.settle()
}

// Average moves moving averages towards the mean and the variance of the batch: they keep the share momentum of what
// they were, which PyTorch calls 1 - momentum. The variance is Keras' or, unbiased, PyTorch's, with Rows - 1.
func (b *BatchNorm) Average(mean, variance []float32, momentum float64, unbiased bool) {
	correction := 1.0
	if unbiased {
		correction = float64(b.Rows) / float64(max(1, b.Rows-1))
	}
	for c := range b.Channels {
		mean[c] = float32(float64(momentum*float64(mean[c])) + float64((1-momentum)*b.Mean[c]))
		variance[c] = float32(float64(momentum*float64(variance[c])) + float64((1-momentum)*b.Variance[c]*correction))
	}
}

func (b *BatchNorm) group() int { return max(1, b.Group) }

// inverse is 1/√(variance + epsilon) of a channel.
func (b *BatchNorm) inverse(c int) float64 { return 1 / math.Sqrt(b.Variance[c]+b.Epsilon) }

// off is what the center of a channel, the mean as a float32, is short of the mean.
func (b *BatchNorm) off(c int) float64 { return b.Mean[c] - float64(float32(b.Mean[c])) }

func (b *BatchNorm) factor(c int) float64 { return float64(b.Gamma[c]) * b.inverse(c) }

// settle prepares the wide rows for the pass.
func (b *BatchNorm) settle() {
	w := b.wide()
	b.spread(w.center, func(c int) float64 { return b.Mean[c] })
	b.spread(w.factor, b.factor)
	b.spread(w.beta, func(c int) float64 { return float64(b.Beta[c]) - float64(b.off(c)*b.factor(c)) })
}

// BatchMoments finds the mean and the variance of a batch: a task in blocks of rows, and Join when all have run. Each
// reads its rows once. What is summed up in float32 are differences from a mean of the rows before, and the sums of some
// rows are joined in float64 as T. F. Chan et al. do, Updating formulae and a pairwise algorithm for computing sample
// variances, 1979.
type BatchMoments struct{ *BatchNorm }

// Block computes block i.
func (b *BatchMoments) Block(i int) {
	total, squares, center := b.scratch(i)
	mean, spread := b.partial(i)
	r0, r1 := b.rows(i)
	clear(mean)
	clear(spread)
	// A first mean, of some rows.
	clear(total)
	first := min(r0+8*b.repeat(), r1)
	b.walk(r0, first, func(lo, hi, at int) { Add(total[at:at+hi-lo], total[at:at+hi-lo], b.X[lo:hi]) })
	b.spread(center, func(c int) float64 { return b.folded(total, c) / float64(first-r0) })
	done := 0
	b.chunks(r0, r1, func(r0, r1 int) {
		clear(total)
		clear(squares)
		b.walk(r0, r1, func(lo, hi, at int) {
			n := at + hi - lo
			active.kernels.columnMoments(total[at:n], squares[at:n], b.X[lo:hi], center[at:n])
		})
		n := float64(r1 - r0)
		for c := range b.Channels {
			t := b.folded(total, c)
			join(&mean[c], &spread[c], done, float64(center[c])+t/n, b.folded(squares, c)-t*t/n, r1-r0)
		}
		done += r1 - r0
		b.spread(center, func(c int) float64 { return mean[c] })
	})
}

// join takes another mean and sum of squares of deviations, of so many numbers, into those of count numbers.
func join(mean, squares *float64, count int, otherMean, otherSquares float64, others int) {
	share := float64(others) / float64(count+others)
	d := otherMean - *mean
	*mean += float64(d * share)
	*squares += otherSquares + float64(d*d*share*float64(count))
}

// Join sets Mean and Variance, from the blocks in their order, and prepares the pass.
func (b *BatchMoments) Join() {
	b.Sum()
	b.settleMoments(b.Rows)
}

// JoinAll is Join for some rows of a batch, after Sum. Of each part of the batch, in order, parts has how many rows it has,
// and what its Sum has left in Mean and in Variance.
func (b *BatchMoments) JoinAll(parts [][]float64) {
	clear(b.Mean)
	clear(b.Variance)
	b.All = 0
	for _, p := range parts {
		rows := int(p[0])
		if rows == 0 {
			continue
		}
		for c := range b.Channels {
			join(&b.Mean[c], &b.Variance[c], b.All, p[1+c], p[1+b.Channels+c], rows)
		}
		b.All += rows
	}
	b.settleMoments(b.All)
}

// Sum sets Mean, and Variance to the sum of the squares of the deviations from it.
func (b *BatchMoments) Sum() {
	clear(b.Mean)
	clear(b.Variance)
	done := 0
	for i := range b.Blocks() {
		r0, r1 := b.rows(i)
		if r0 == r1 {
			continue
		}
		mean, squares := b.partial(i)
		for c := range b.Channels {
			join(&b.Mean[c], &b.Variance[c], done, mean[c], squares[c], r1-r0)
		}
		done += r1 - r0
	}
}

// settleMoments makes means of the sums over so many rows, and of groups of channels.
func (b *BatchMoments) settleMoments(rows int) {
	done := max(1, rows)
	for first := 0; first < b.Channels; first += b.group() {
		mean, squares := 0.0, 0.0
		for n := range b.group() {
			join(&mean, &squares, n*done, b.Mean[first+n], b.Variance[first+n], done)
		}
		for n := range b.group() {
			b.Mean[first+n], b.Variance[first+n] = mean, max(0, squares/float64(b.group()*done))
		}
	}
	b.settle()
}

// BatchNormSums finds what all rows say about gamma and beta: a task in blocks of rows, and Join when all have run, which
// sets DGamma and DBeta and prepares BatchNormGradient.
type BatchNormSums struct {
	*BatchNorm    // after its pass
	DY            []float32
	DGamma, DBeta []float32
	Fixed         bool // Mean and Variance do not depend on X
}

// Block computes block i.
func (g *BatchNormSums) Block(i int) { g.sumUp(i, g.DY) }

func (b *BatchNorm) sumUp(i int, dy []float32) {
	plain, weighted, _ := b.scratch(i)
	dbeta, dgamma := b.partial(i)
	r0, r1 := b.rows(i)
	w := b.wide()
	clear(dbeta)
	clear(dgamma)
	b.chunks(r0, r1, func(r0, r1 int) {
		clear(plain)
		clear(weighted)
		b.walk(r0, r1, func(lo, hi, at int) {
			n := at + hi - lo
			active.kernels.columnSums(plain[at:n], weighted[at:n], dy[lo:hi], b.X[lo:hi], w.center[at:n])
		})
		for c := range b.Channels {
			dbeta[c] += b.folded(plain, c)
			dgamma[c] += b.folded(weighted, c)
		}
	})
}

// Join sets DGamma and DBeta to the sums of all blocks, in their order.
func (g *BatchNormSums) Join() { g.joinSums(g.DGamma, g.DBeta, g.Fixed, nil) }

// Sum writes what these rows say about each beta, and then about each gamma, behind other numbers.
func (g *BatchNormSums) Sum(to []float64) []float64 {
	at := len(to)
	for range 2 * g.Channels {
		to = append(to, 0)
	}
	for c := range g.Channels {
		to[at+c], to[at+g.Channels+c] = g.channel(c)
	}
	return to
}

// JoinAll is Join for some rows of a batch, of which parts has the Sum of each part in order. DGamma and DBeta are of these rows
// alone.
func (g *BatchNormSums) JoinAll(parts [][]float64) { g.joinSums(g.DGamma, g.DBeta, g.Fixed, parts) }

func (b *BatchNorm) joinSums(dgamma, dbeta []float32, fixed bool, parts [][]float64) {
	w := b.wide()
	for first := 0; first < b.Channels; first += b.group() {
		// The sums over the group, with gamma.
		plain, weighted := 0.0, 0.0
		for c := first; c < first+b.group(); c++ {
			beta, gamma := b.channel(c)
			dbeta[c], dgamma[c] = float32(beta), float32(gamma)
			if parts != nil {
				beta, gamma = 0, 0
				for _, p := range parts {
					beta += p[c]
					gamma += p[b.Channels+c]
				}
			}
			plain += float64(float64(b.Gamma[c]) * beta)
			weighted += float64(float64(b.Gamma[c]) * gamma)
		}
		slope, term := 0.0, 0.0
		if !fixed {
			each := b.inverse(first) / float64(max(1, b.Rows, b.All)*b.group())
			slope = -each * b.inverse(first) * weighted
			term = float64(-each*plain) - float64(slope*b.off(first))
		}
		for c := first; c < first+b.group(); c++ {
			w.slope[c], w.term[c] = float32(slope), float32(term)
		}
	}
	for _, row := range [][]float32{w.slope, w.term} {
		b.spread(row, func(c int) float64 { return float64(row[c]) })
	}
}

// channel returns the gradients with respect to a channel's beta and gamma.
func (b *BatchNorm) channel(c int) (dbeta, dgamma float64) {
	for i := range b.Blocks() {
		p, q := b.partial(i)
		dbeta += p[c]
		dgamma += q[c]
	}
	return dbeta, (dgamma - float64(b.off(c)*dbeta)) * b.inverse(c)
}

// BatchNormGradient computes DX: a task in blocks of rows, after BatchNormSums.
type BatchNormGradient struct {
	*BatchNorm
	DY, DX []float32 // DX may be DY
}

// Block computes block i.
func (g *BatchNormGradient) Block(i int) { g.differentiate(i, g.DY, g.DX) }

func (b *BatchNorm) differentiate(i int, dy, dx []float32) {
	r0, r1 := b.rows(i)
	w := b.wide()
	b.walk(r0, r1, func(lo, hi, at int) {
		n := at + hi - lo
		active.kernels.columnGradient(dx[lo:hi], dy[lo:hi], b.X[lo:hi], w.center[at:n], w.factor[at:n], w.slope[at:n], w.term[at:n])
	})
}
