package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/protobuf"
)

// Opset is the version of the operators that a graph uses.
const Opset = 17

// irVersion is that of the format, the oldest that knows the operators.
const irVersion = 8

// Graph is a graph in the making. Values have names.
type Graph struct {
	nodes, constants protobuf.Message
	inputs, outputs  protobuf.Message
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
func value(name string, row []int) protobuf.Message {
	var shape protobuf.Message
	shape.Message(1, protobuf.Text(2, "rows")) // Dimension.dim_param
	for _, d := range row {
		var m protobuf.Message
		m.Int(1, d) // dim_value
		shape.Message(1, m)
	}
	var tensor protobuf.Message
	tensor.Int(1, float)
	tensor.Message(2, shape)
	var kind protobuf.Message
	kind.Message(1, tensor)
	m := protobuf.Text(1, name)
	m.Message(2, kind)
	return m
}

// Input adds an input of rows of a shape.
func (g *Graph) Input(name string, row ...int) string {
	g.inputs.Message(11, value(name, row))
	return name
}

// Output gives a value a name as an output, of rows of a shape.
func (g *Graph) Output(name, from string, row ...int) {
	g.Scope("")
	g.node("Identity", []string{from}, []string{name}, nil)
	g.outputs.Message(12, value(name, row))
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
	var m protobuf.Message
	for _, d := range shape {
		m.Int(1, d)
	}
	m.Int(2, kind)
	m.Bytes(8, []byte(name))
	m.Bytes(9, raw)
	g.constants.Message(5, m)
	return name
}

// Attribute is a setting of a node.
type Attribute struct{ m protobuf.Message }

// Int is a setting of a whole number.
func Int(name string, v int) Attribute {
	m := protobuf.Text(1, name)
	m.Int(3, v)
	m.Int(20, 2)
	return Attribute{m}
}

// Float is a setting of a number.
func Float(name string, v float64) Attribute {
	m := protobuf.Text(1, name)
	m.Float(2, float32(v))
	m.Int(20, 1)
	return Attribute{m}
}

// Text is a setting of a word.
func Text(name, v string) Attribute {
	m := protobuf.Text(1, name)
	m.Bytes(4, []byte(v))
	m.Int(20, 3)
	return Attribute{m}
}

// Ints is a setting of several whole numbers.
func Ints(name string, values ...int) Attribute {
	m := protobuf.Text(1, name)
	for _, v := range values {
		m.Int(8, v)
	}
	m.Int(20, 7)
	return Attribute{m}
}

// Texts is a setting of several words.
func Texts(name string, values ...string) Attribute {
	m := protobuf.Text(1, name)
	for _, v := range values {
		m.Bytes(9, []byte(v))
	}
	m.Int(20, 8)
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
	var m protobuf.Message
	for _, name := range inputs {
		m.Bytes(1, []byte(name))
	}
	for _, name := range outputs {
		m.Bytes(2, []byte(name))
	}
	m.Bytes(3, []byte(outputs[0]))
	m.Bytes(4, []byte(operator))
	for _, a := range attributes {
		m.Message(5, a.m)
	}
	g.nodes.Message(1, m)
}

// Model returns the file of a model of the graph, which has a name and is described by a text.
func (g *Graph) Model(name, description string) []byte {
	graph := append(protobuf.Message(nil), g.nodes...)
	graph.Bytes(2, []byte(name))
	graph = append(append(append(graph, g.constants...), g.inputs...), g.outputs...)
	var opset, m protobuf.Message
	opset.Int(2, Opset)
	m.Int(1, irVersion)
	m.Bytes(2, []byte("nnkit"))
	m.Bytes(6, []byte(description))
	m.Message(7, graph)
	m.Message(8, opset)
	return m
}
