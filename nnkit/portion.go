package nnkit

import "github.com/seed5607215b/nnkit/nnkit/internal/parallel"

// A batch whose values would not fit the processor's caches is trained in portions: some rows go forwards and backwards
// through the whole network before the next ones begin, so that what one layer writes the next one finds in the cache, and
// so that there is memory for the values of a portion only. Gradients of weights are sums over rows in ascending order,
// which the next portion goes on with: how a batch is cut changes no bit, and may depend on the number of cores.
//
// This wants layers that treat each row by itself and add to the gradients of their parameters row after row, and a loss and
// metrics that can be computed in portions. Where there are others a batch is one portion: batch normalization looks at all
// rows, and so may functions and layers of a user's own; of a mask all rows say how many steps count. Recurrent layers go
// through their rows in blocks anyway.

// portion is what a tape must know of the rows on it.
type portion struct {
	from, rows int // the first of them in the batch, and how many
	batch      int // how many the batch has
	first      int // of the rows whose gradients are added up: 0, or a shard's first
}

// others says whether there are others of the batch.
func (p portion) others() bool { return p.rows < p.batch }

// portions cuts the batches of a training.
type portions struct {
	possible bool
	rows     int // of a portion, at most; 0 while it is not known
}

// cacheOfCore is how many bytes of values a core's portion may have: about what its second cache holds. With half and with
// twice as many a Transformer's step takes 2 % longer.
const cacheOfCore = 3 << 20

// inPortions says whether a model can be trained so. A shared layer could not: its gradient is a sum over all rows of one
// call after that of the other.
func (m *Model) inPortions() bool {
	for i := range m.targets {
		for _, judge := range append([]Metric{m.targets[i].loss}, m.targets[i].metrics...) {
			switch judge.(type) {
			case *lossFunc, *metricFunc:
				return false
			}
		}
	}
	return len(m.calls) == len(m.layers) && allByRow(m.layers)
}

func allByRow(layers []Layer) bool {
	for _, l := range layers {
		if !byRow(l) {
			return false
		}
	}
	return true
}

// byRow says whether a layer treats each row by itself and adds to its gradients row after row.
func byRow(l Layer) bool {
	c := l.core()
	if a, ok := c.activation.(*smooth); ok && a.own || !c.regularizer.none() {
		return false
	}
	switch l := l.(type) {
	case *mergeLayer:
		return l.merge != ownMerge
	case *embeddingLayer:
		return !l.maskZero
	case *residualLayer:
		return allByRow(l.layers)
	case *lambdaLayer:
		return c.kind != "lambda" // a function of the user's
	case *denseLayer, *dropoutLayer, *noiseLayer, *layerNormLayer, *positionLayer, *learntPositionLayer,
		*preluLayer, *attentionLayer, *encoderLayer, *convLayer, *convTransposeLayer, *poolLayer, *globalPoolLayer:
		return true
	}
	return false
}

// next returns the portion of rows first to end-1 of a batch that begins with from.
func (p *portions) next(first, from, end, batch int) portion {
	rows := end - first
	if p.possible {
		cuts := (rows + p.rows - 1) / p.rows
		rows = (rows + cuts - 1) / cuts
	}
	return portion{from: from, rows: min(rows, end-from), batch: batch, first: first}
}

// learn takes in how many bytes of values a row takes, and a model's weights: these, twice, and their gradients, there and
// back, are gone through for each portion, which should not take longer than its values.
func (p *portions) learn(row, weights int) {
	p.rows = max(1, max(parallel.Cores()*cacheOfCore, 4*weights)/max(1, row))
}
