package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Opset is the version of the operators that a graph uses.
const Opset = 17

// irVersion is that of the format, the oldest that knows the operators.
const irVersion = 8

// Graph is a graph in the making. Values have names.
type Graph struct {
	nodes, constants message
	inputs, outputs  message
	scope            string
	names            map[string]int
}

// Scope sets what the names of the following values begin with: a layer's name.
func (g *Graph) Scope(name string) { g.scope = name }

// within makes a name of the scope.
func (g *Graph) within(name string) string {
	if g.scope != "" {
		name = g.scope + "/" + name
	}
	return g.unique(name)
}

// unique numbers a name that was given before.
func (g *Graph) unique(of string) string {
	if g.names == nil {
		g.names = map[string]int{}
	}
	g.names[of]++
	if n := g.names[of]; n > 1 {
		return fmt.Sprintf("%s_%d", of, n)
	}
	return of
}

// The types of numbers.
const (
	float  = 1
	int64s = 7
)

// value is a ValueInfoProto: numbers of a shape behind any number of rows.
func value(name string, row []int) message {
	var shape message
	shape.message(1, text(2, "rows")) // Dimension.dim_param
	for _, d := range row {
		var m message
		m.int(1, d) // dim_value
		shape.message(1, m)
	}
	var tensor message
	tensor.int(1, float)
	tensor.message(2, shape)
	var kind message
	kind.message(1, tensor)
	m := text(1, name)
	m.message(2, kind)
	return m
}

// Input adds an input of rows of a shape.
func (g *Graph) Input(name string, row ...int) string {
	g.inputs.message(11, value(name, row))
	return name
}

// Output gives a value a name as an output, of rows of a shape.
func (g *Graph) Output(name, from string, row ...int) {
	g.Scope("")
	g.node("Identity", []string{from}, []string{name}, nil)
	g.outputs.message(12, value(name, row))
}

// Floats adds a constant, under a name that does not begin with the scope.
func (g *Graph) Floats(name string, shape []int, values []float32) string {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return g.constant(g.unique(name), shape, float, raw)
}

// Number adds a constant without dimensions.
func (g *Graph) Number(v float64) string {
	return g.Floats(g.within("number"), nil, []float32{float32(v)})
}

// Ints adds a constant vector.
func (g *Graph) Ints(values ...int) string {
	raw := make([]byte, 0, 8*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return g.constant(g.within("shape"), []int{len(values)}, int64s, raw)
}

func (g *Graph) constant(name string, shape []int, kind int, raw []byte) string {
	var m message
	for _, d := range shape {
		m.int(1, d)
	}
	m.int(2, kind)
	m.bytes(8, []byte(name))
	m.bytes(9, raw)
	g.constants.message(5, m)
	return name
}

// Attribute is a setting of a node.
type Attribute struct{ m message }

// Int is a setting of a whole number.
func Int(name string, v int) Attribute {
	m := text(1, name)
	m.int(3, v)
	m.int(20, 2)
	return Attribute{m}
}

// Float is a setting of a number.
func Float(name string, v float64) Attribute {
	m := text(1, name)
	m.float(2, float32(v))
	m.int(20, 1)
	return Attribute{m}
}

// Text is a setting of a word.
func Text(name, v string) Attribute {
	m := text(1, name)
	m.bytes(4, []byte(v))
	m.int(20, 3)
	return Attribute{m}
}

// Ints is a setting of several whole numbers.
func Ints(name string, values ...int) Attribute {
	m := text(1, name)
	for _, v := range values {
		m.int(8, v)
	}
	m.int(20, 7)
	return Attribute{m}
}

// Texts is a setting of several words.
func Texts(name string, values ...string) Attribute {
	m := text(1, name)
	for _, v := range values {
		m.bytes(9, []byte(v))
	}
	m.int(20, 8)
	return Attribute{m}
}

// Node applies an operator and returns its result. An input of "" is left out.
func (g *Graph) Node(operator string, inputs []string, attributes ...Attribute) string {
	return g.Nodes(operator, 1, inputs, attributes...)[0]
}

// Nodes is Node for an operator of several results.
func (g *Graph) Nodes(operator string, results int, inputs []string, attributes ...Attribute) []string {
	names := make([]string, results)
	for i := range names {
		names[i] = g.within(operator)
	}
	g.node(operator, inputs, names, attributes)
	return names
}

func (g *Graph) node(operator string, inputs, outputs []string, attributes []Attribute) {
	var m message
	for _, name := range inputs {
		m.bytes(1, []byte(name))
	}
	for _, name := range outputs {
		m.bytes(2, []byte(name))
	}
	m.bytes(3, []byte(outputs[0]))
	m.bytes(4, []byte(operator))
	for _, a := range attributes {
		m.message(5, a.m)
	}
	g.nodes.message(1, m)
}

// Model returns the file of a model of the graph, which has a name and is described by a text.
func (g *Graph) Model(name, description string) []byte {
	graph := append(message(nil), g.nodes...)
	graph.bytes(2, []byte(name))
	graph = append(append(append(graph, g.constants...), g.inputs...), g.outputs...)
	var opset, m message
	opset.int(2, Opset)
	m.int(1, irVersion)
	m.bytes(2, []byte("nnkit"))
	m.bytes(6, []byte(description))
	m.message(7, graph)
	m.message(8, opset)
	return m
}
