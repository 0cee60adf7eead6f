package data

import "github.com/seed5607215b/nnkit/nnkit/internal/random"

// draws are random numbers one after the other: each row of a generated set has its own, whatever the other rows draw.
type draws struct {
	stream random.Stream
	next   int
}

// rowDraws are those of a row of generated data.
func rowDraws(seed, row int) *draws {
	return &draws{stream: random.Stream{Seed: uint64(int64(seed)), Purpose: random.Data, Index: uint32(row)}}
}

// augmentDraws are those by which a row is changed in an epoch. They are apart from those that generated it, so that
// noise of the same seed is not the noise that is in the data already.
func augmentDraws(seed, epoch, row int) *draws {
	d := rowDraws(seed, row)
	d.stream.Index |= 1 << 31
	d.next = epoch << 32
	return d
}

// uniform draws between low and high.
func (d *draws) uniform(low, high float64) float64 {
	u := d.stream.Uniform(d.next)
	d.next++
	return low + float64((high-low)*u)
}

// normal draws with mean 0.
func (d *draws) normal(deviation float64) float64 {
	v := d.stream.Normal(d.next)
	d.next++
	return float64(deviation * v)
}

// pick draws one of 0 to n-1.
func (d *draws) pick(n int) int {
	v := d.stream.Int(d.next, n)
	d.next++
	return v
}
