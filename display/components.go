package display

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// plane is the plane through the mean of some rows in which they are spread most: that of their first two principal components.
type plane struct {
	mean   []float64
	axes   [2][]float64 // of length 1, at right angles
	shares [2]float64   // of the variance along each axis
	at     [][2]float64 // where each row lies
}

// newPlane finds the plane of rows of one width. It reports false where there is none: rows that are all equal, or less than two of them
// or of their values.
func newPlane(rows [][]float64) (p plane, ok bool) {
	n := len(rows)
	if n < 2 || len(rows[0]) < 2 {
		return plane{}, false
	}
	width := len(rows[0])
	p.mean = make([]float64, width)
	for _, row := range rows {
		for j, v := range row {
			p.mean[j] += v / float64(n)
		}
	}
	centered := mat.NewDense(n, width, nil)
	total := 0.0
	for i, row := range rows {
		for j, v := range row {
			d := v - p.mean[j]
			centered.Set(i, j, d)
			total += d * d
		}
	}
	if !(total > 0) || math.IsInf(total, 1) {
		return plane{}, false
	}
	// Of the two matrices that have the same spectrum the smaller is taken: that of the columns, or that of the rows.
	var products mat.Dense
	if width <= n {
		products.Mul(centered.T(), centered)
	} else {
		products.Mul(centered, centered.T())
	}
	values, vectors := leading(&products)
	for c := range 2 {
		axis := mat.NewVecDense(width, nil)
		if width <= n {
			axis.CloneFromVec(vectors.ColView(c))
		} else {
			axis.MulVec(centered.T(), vectors.ColView(c))
		}
		p.axes[c] = unit(axis.RawVector().Data)
		p.shares[c] = math.Max(values[c], 0) / total
	}
	p.at = make([][2]float64, n)
	for i := range p.at {
		for c := range 2 {
			p.at[i][c] = dot(centered.RawRowView(i), p.axes[c])
		}
	}
	return p, true
}

// unit scales a vector to length 1. A component has no sign of its own: the largest entry is made positive, so that the same rows
// give the same picture.
func unit(v []float64) []float64 {
	length := math.Sqrt(dot(v, v))
	if length == 0 {
		return v
	}
	big := 0
	for i := range v {
		if math.Abs(v[i]) > math.Abs(v[big])+1e-9*length {
			big = i
		}
	}
	if v[big] < 0 {
		length = -length
	}
	for i := range v {
		v[i] /= length
	}
	return v
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// leading returns the two largest eigenvalues of a symmetric, positive matrix and their vectors, the columns of a matrix. It iterates in a
// small subspace (Rutishauser, 1969), which is far less work than the whole spectrum of a matrix of hundreds of rows.
func leading(m *mat.Dense) (values [2]float64, vectors *mat.Dense) {
	const most, precise = 500, 1e-10
	n, _ := m.Dims()
	k := min(n, 10)
	q := mat.NewDense(n, k, nil)
	for i := range n {
		for j := range k { // any start that is no stranger to the vectors sought, the same each time
			q.Set(i, j, math.Cos(float64((i+1)*(j+1)))+float64((i*7+j*3)%5))
		}
	}
	var last [2]float64
	for range most {
		orthonormal(q)
		var next, small mat.Dense
		next.Mul(m, q)
		small.Mul(q.T(), &next)
		symmetric := mat.NewSymDense(k, nil)
		for i := range k {
			for j := i; j < k; j++ {
				symmetric.SetSym(i, j, (small.At(i, j)+small.At(j, i))/2)
			}
		}
		var e mat.EigenSym
		if !e.Factorize(symmetric, true) {
			break
		}
		var turn, ritz mat.Dense
		e.VectorsTo(&turn)
		found := e.Values(nil) // in rising order
		ritz.Mul(q, &turn)
		vectors = mat.NewDense(n, 2, nil)
		for c := range 2 {
			from := k - 1 - c
			values[c] = found[from]
			vectors.SetCol(c, mat.Col(nil, from, &ritz))
		}
		if math.Abs(values[0]-last[0])+math.Abs(values[1]-last[1]) <= precise*values[0] {
			break
		}
		last = values
		q = mat.NewDense(n, k, nil)
		q.Mul(&next, &turn)
	}
	return values, vectors
}

// orthonormal makes the columns of a matrix orthonormal by Gram and Schmidt's process, gone through twice so that rounding does not spoil
// it. Columns that depend on those before them become zero.
func orthonormal(m *mat.Dense) {
	n, k := m.Dims()
	column := make([]float64, n)
	other := make([]float64, n)
	for j := range k {
		mat.Col(column, j, m)
		before := math.Sqrt(dot(column, column))
		for range 2 {
			for i := range j {
				mat.Col(other, i, m)
				share := dot(column, other)
				for r, v := range other {
					column[r] -= share * v
				}
			}
		}
		length := math.Sqrt(dot(column, column))
		scale := 0.0
		if length > 1e-12*before {
			scale = 1 / length
		}
		for r := range column {
			column[r] *= scale
		}
		m.SetCol(j, column)
	}
}
