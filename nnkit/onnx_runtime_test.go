//go:build onnx

package nnkit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
)

// onnxruntime makes of exported models what Predict does. It wants node and what package.json in e2e names:
//
//	npm ci --prefix e2e && go test -tags onnx -run ONNXRuntime ./nnkit
func TestONNXRuntimeAgrees(t *testing.T) {
	type onnxInput struct {
		Shape []int     `json:"shape"`
		X     []float32 `json:"x"`
	}
	type onnxCase struct {
		Name    string               `json:"name"`
		Model   string               `json:"model"`
		Inputs  map[string]onnxInput `json:"inputs"`
		Outputs map[string][]float32 `json:"outputs"`
	}
	folder := t.TempDir()
	var cases []onnxCase
	models := append(savedModels()[1:], onnxModels()...)
	for _, a := range savedActivations { // by themselves, since the first model, which has them in a row, makes small errors large
		models = append(models, Sequential(Input(6), Dense(9, a)))
	}
	for i, m := range models {
		m.draw()
		for j, p := range m.kept() { // other states and biases than those a model begins with
			for k := range p.Data() {
				p.Data()[k] += float32(0.2 * random.Stream{Seed: 5, Index: uint32(j)}.Uniform(k))
			}
		}
		c := onnxCase{Name: m.String(), Model: filepath.Join(folder, fmt.Sprint(i, ".onnx")), Inputs: map[string]onnxInput{}, Outputs: map[string][]float32{}}
		var xs []*Tensor
		for n, in := range m.inputs {
			x := zeros(append([]int{3}, in.shape...))
			for k := range x.data {
				x.data[k] = float32(random.Stream{Seed: 6, Index: uint32(100*n + i)}.Normal(k))
			}
			if _, ok := m.layers[0].(*embeddingLayer); ok {
				for k := range x.data {
					x.data[k] = float32(k % 5)
				}
			}
			name := "input"
			if len(m.inputs) > 1 {
				name = in.name
			}
			xs = append(xs, x)
			c.Inputs[name] = onnxInput{x.shape, x.data}
		}
		ys, err := m.PredictAll(xs)
		if err != nil {
			t.Fatal(err)
		}
		for n, name := range m.outputNames() {
			if len(ys) == 1 {
				name = "output"
			}
			c.Outputs[name] = ys[n].data
		}
		if err := m.ExportONNX(c.Model); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	text, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(folder, "cases.json")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", filepath.Join("..", "e2e", "onnx.mjs"), list)
	var complaints bytes.Buffer
	node.Stderr = &complaints
	out, err := node.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", node, err, out, &complaints)
	}
	seen := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); seen++ {
		var result struct {
			Name  string
			Error float64
		}
		if err := dec.Decode(&result); err != nil {
			t.Fatal(err)
		}
		t.Logf("model %d is off by %.2g", seen+1, result.Error)
		if result.Error > 1e-5 {
			t.Errorf("the output is off by %.2g of\n%s", result.Error, result.Name)
		}
	}
	if seen != len(cases) {
		t.Errorf("%d of %d models were run", seen, len(cases))
	}
}
