package simd

// Batch is many products of one shape, whose matrices follow each other in memory: those of an attention's heads, for
// example. Product holds the first of them.
type Batch struct {
	Product
	Count int
	// How far it is from one product's matrix to the next one's; 0 where all share it. Gate goes with C.
	StepA, StepB, StepC, StepStart int
}

// Blocks returns into how many blocks, which may be computed at the same time, the batch is best cut.
func (b *Batch) Blocks() int {
	if each := b.Product.Blocks(); each > 1 {
		return each * b.Count
	}
	together := b.together()
	return (b.Count + together - 1) / together
}

// together returns how many small products make a block.
func (b *Batch) together() int { return max(1, smallProduct/max(1, b.M*b.N*b.K)) }

// Block computes block i.
func (b *Batch) Block(i int) {
	if each := b.Product.Blocks(); each > 1 {
		p := b.at(i / each)
		p.Block(i % each)
		return
	}
	together := b.together()
	for n := i * together; n < min((i+1)*together, b.Count); n++ {
		p := b.at(n)
		p.Part(0, p.M, 0, p.N)
	}
}

// at returns product n.
func (b *Batch) at(n int) Product {
	p := b.Product
	p.A.Data, p.B.Data, p.C = p.A.Data[n*b.StepA:], p.B.Data[n*b.StepB:], p.C[n*b.StepC:]
	if p.Start != nil {
		p.Start = p.Start[n*b.StepStart:]
	}
	if p.Gate != nil {
		p.Gate = p.Gate[n*b.StepC:]
	}
	return p
}
