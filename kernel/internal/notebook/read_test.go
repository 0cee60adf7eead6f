package notebook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"golang.org/x/tools/txtar"
)

// Each case is a file as it is read, and what is written of it, or the error.
func TestRead(t *testing.T) {
	eachCase(t, "read", func(t *testing.T, files map[string][]byte) []txtar.File {
		nb, err := Read(files["in.ipynb"])
		if err != nil {
			return []txtar.File{{Name: "want error", Data: []byte(err.Error() + "\n")}}
		}
		text := written(t, nb)
		checkSchema(t, text)
		return []txtar.File{{Name: "want.ipynb", Data: text}}
	})
}

func TestReadFileMissing(t *testing.T) {
	_, err := ReadFile(filepath.Join(t.TempDir(), "none.ipynb"))
	if !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("error is %v, want one of a file that does not exist", err)
	}
}

func unwrapAll(err error) error {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		if _, isPath := err.(*os.PathError); isPath {
			return err
		}
		err = inner.Unwrap()
	}
}

// What is written is read as the same, and written again as the same bytes.
func TestRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		nb := randomNotebook(rnd)
		text := written(t, nb)
		checkSchema(t, text)
		again, err := Read(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if !reflect.DeepEqual(again, nb) {
			t.Fatalf("read\n%+v\nwant\n%+v\nfrom\n%s", again, nb, text)
		}
		if twice := written(t, again); !bytes.Equal(twice, text) {
			t.Fatalf("written again\n%s\nwant\n%s", twice, text)
		}
	}
}

func randomNotebook(rnd *rand.Rand) *Notebook {
	nb := &Notebook{Metadata: randomObject(rnd, 3), extra: maybeNil(randomObject(rnd, 1))}
	types := []CellType{Code, Markdown, Raw}
	for range rnd.IntN(5) {
		c := &Cell{Type: types[rnd.IntN(3)], Source: randomText(rnd), Metadata: randomObject(rnd, 2)}
		if c.Type == Code {
			c.ExecutionCount = rnd.IntN(3)
			for range rnd.IntN(4) {
				c.Outputs = append(c.Outputs, randomOutput(rnd))
			}
		} else if rnd.IntN(3) == 0 {
			c.Attachments = map[string]message.MIMEBundle{"a.png": randomBundle(rnd)}
		}
		nb.Cells = append(nb.Cells, c)
	}
	for i, id := range nb.ids() {
		nb.Cells[i].ID = id
	}
	return nb
}

func randomOutput(rnd *rand.Rand) *Output {
	switch rnd.IntN(4) {
	case 0:
		return &Output{Type: Stream, Name: "stderr", Text: randomText(rnd)}
	case 1:
		return &Output{Type: DisplayData, Data: randomBundle(rnd), Metadata: randomObject(rnd, 1)}
	case 2:
		return &Output{Type: ExecuteResult, Data: randomBundle(rnd), Metadata: randomObject(rnd, 1), ExecutionCount: rnd.IntN(9)}
	default:
		return &Output{Type: Error, ErrorName: randomText(rnd), ErrorValue: "v", Traceback: []string{randomText(rnd)}}
	}
}

func randomBundle(rnd *rand.Rand) message.MIMEBundle {
	bundle := message.MIMEBundle{"text/plain": randomText(rnd)}
	if rnd.IntN(2) == 0 {
		bundle["application/x+json"] = randomValue(rnd, 2)
	}
	if rnd.IntN(2) == 0 {
		bundle["image/png"] = "aGVsbG8=\n"
	}
	return bundle
}

func randomText(rnd *rand.Rand) string {
	pieces := []string{"a", "é\n", "\n", "\r\n", "\r", "\u2028", "\"", "\\", "<&>", "\x1b[31m", "你好", "𝛼", " ", "\x00", "\u0085"}
	var text strings.Builder
	for range rnd.IntN(8) {
		text.WriteString(pieces[rnd.IntN(len(pieces))])
	}
	return text.String()
}

func randomObject(rnd *rand.Rand, depth int) map[string]any {
	m := make(map[string]any)
	for range rnd.IntN(3) {
		m["x"+randomText(rnd)] = randomValue(rnd, depth-1)
	}
	if len(m) == 0 && depth < 3 && rnd.IntN(2) == 0 {
		m["x"] = []any{}
	}
	return orNil(m)
}

// orNil is what reading makes of an empty object that may be missing.
func orNil(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func maybeNil(m map[string]any) map[string]any {
	if len(m) == 0 {
		return nil
	}
	return m
}

func randomValue(rnd *rand.Rand, depth int) any {
	switch n := rnd.IntN(8); {
	case n == 0 && depth > 0:
		return randomObject(rnd, depth)
	case n == 1 && depth > 0:
		return []any{randomValue(rnd, depth-1), randomValue(rnd, depth-1)}
	case n == 2:
		return json.Number("1e400")
	case n == 3:
		return json.Number("12345678901234567890")
	case n == 4:
		return nil
	case n == 5:
		return true
	}
	return randomText(rnd)
}

func written(t testing.TB, nb *Notebook) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := nb.Write(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// checkSchema checks by hand what the schema of nbformat 4.5 asks of a file
// with no unknown cells or outputs.
func checkSchema(t testing.TB, text []byte) {
	t.Helper()
	if !bytes.HasSuffix(text, []byte("}\n")) {
		t.Errorf("the file does not end with a newline: %q", text[max(0, len(text)-10):])
	}
	var nb struct {
		NBFormat *int `json:"nbformat"`
		Minor    *int `json:"nbformat_minor"`
		Metadata map[string]any
		Cells    []map[string]any
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&nb); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if nb.NBFormat == nil || *nb.NBFormat != 4 || nb.Minor == nil || *nb.Minor < 5 || nb.Metadata == nil || nb.Cells == nil {
		t.Errorf("a required field is missing or wrong in\n%s", text)
	}
	ids := make(map[any]bool)
	for i, c := range nb.Cells {
		id, _ := c["id"].(string)
		if !validID(id) || ids[id] {
			t.Errorf("cell %d: id %q is not valid or not the only one", i+1, id)
		}
		ids[id] = true
		wanted := []string{"cell_type", "metadata", "source"}
		if c["cell_type"] == "code" {
			wanted = append(wanted, "outputs", "execution_count")
		}
		if err := hasFields(c, wanted...); err != nil {
			t.Errorf("cell %d: %v", i+1, err)
		}
		outputs, _ := c["outputs"].([]any)
		for j, v := range outputs {
			out := v.(map[string]any)
			var err error
			switch out["output_type"] {
			case "stream":
				err = hasFields(out, "name", "text")
			case "display_data":
				err = hasFields(out, "data", "metadata")
			case "execute_result":
				err = hasFields(out, "data", "metadata", "execution_count")
			case "error":
				err = hasFields(out, "ename", "evalue", "traceback")
			}
			if err != nil {
				t.Errorf("cell %d, output %d: %v", i+1, j+1, err)
			}
		}
	}
}

func hasFields(m map[string]any, names ...string) error {
	for _, name := range names {
		if _, has := m[name]; !has {
			return fmt.Errorf("%q is missing", name)
		}
	}
	return nil
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"cells":[{"cell_type":"code","source":["a\n","b"]}],"nbformat":4}`))
	f.Add([]byte(`{"cells":[{"cell_type":"markdown","id":"a","source":"#","attachments":{"x":{"image/png":""}}}],"nbformat":4,"nbformat_minor":6}`))
	f.Add([]byte(`{"cells":[{"cell_type":"code","source":"","outputs":[{"output_type":"stream","text":"\r"},` +
		`{"output_type":"error"},{"output_type":"execute_result","data":{"a/b":[1]}}]}],"nbformat":4}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		nb, err := Read(data)
		if err != nil {
			return
		}
		text := written(t, nb)
		checkSchema(t, text)
		again, err := Read(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if twice := written(t, again); !bytes.Equal(twice, text) {
			t.Errorf("written again\n%s\nwant\n%s", twice, text)
		}
	})
}
