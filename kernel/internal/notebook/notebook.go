package notebook

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// A Notebook is the content of an .ipynb file of nbformat 4.
//
// Numbers in metadata and in unknown fields are kept as [encoding/json.Number],
// so that they are written as they were read.
type Notebook struct {
	Metadata map[string]any
	Cells    []*Cell

	minor int            // nbformat_minor of the file that was read, if above 5
	extra map[string]any // fields this package does not know
}

// CellType says what a cell holds.
type CellType string

// The types of cells.
const (
	Code     CellType = "code"
	Markdown CellType = "markdown"
	Raw      CellType = "raw"
)

// A Cell is one cell of a notebook.
type Cell struct {
	// ID names the cell within its notebook. Read and Write make one where it
	// is missing, from the cell's text, so that it is the same every time.
	ID          string
	Type        CellType
	Source      string
	Metadata    map[string]any
	Attachments map[string]message.MIMEBundle // pictures within Markdown, by name

	// Of code cells only.
	ExecutionCount int // 0: not executed
	Outputs        []*Output

	extra map[string]any
}

// OutputType says which kind of output an [Output] is, and so which of its
// fields count.
type OutputType string

// The types of outputs.
const (
	Stream        OutputType = "stream"
	DisplayData   OutputType = "display_data"
	ExecuteResult OutputType = "execute_result"
	Error         OutputType = "error"
)

// An Output is one output of a code cell.
type Output struct {
	Type OutputType

	// Of Stream.
	Name string // "stdout" or "stderr"
	Text string

	// Of DisplayData and ExecuteResult.
	Data           message.MIMEBundle
	Metadata       map[string]any
	ExecutionCount int // of ExecuteResult only

	// Of Error.
	ErrorName  string
	ErrorValue string
	Traceback  []string

	extra map[string]any
}

// Tagged reports whether the cell carries the tag in its metadata.
func (c *Cell) Tagged(tag string) bool {
	tags, _ := c.Metadata["tags"].([]any)
	return slices.Contains(tags, any(tag))
}

// FirstLine returns the cell's first line that is not blank, without the spaces
// around it.
func (c *Cell) FirstLine() string {
	line, _, _ := strings.Cut(strings.TrimSpace(c.Source), "\n")
	return strings.TrimSpace(line)
}

// ids returns one valid id per cell, all different: the cell's own where it has
// one, else one made from its text.
func (nb *Notebook) ids() []string {
	ids := make([]string, len(nb.Cells))
	used := make(map[string]bool, len(nb.Cells))
	for i, c := range nb.Cells {
		if validID(c.ID) && !used[c.ID] {
			ids[i] = c.ID
			used[c.ID] = true
		}
	}
	for i, c := range nb.Cells {
		for n := 0; ids[i] == ""; n++ {
			sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%s", c.Type, n, c.Source))
			if id := hex.EncodeToString(sum[:4]); !used[id] {
				ids[i] = id
				used[id] = true
			}
		}
	}
	return ids
}

// validID tells whether the schema of nbformat 4.5 accepts the id.
func validID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// isJSON reports whether the value of a MIME type is JSON, and not text.
func isJSON(mime string) bool {
	return mime == "application/json" || strings.HasPrefix(mime, "application/") && strings.HasSuffix(mime, "+json")
}
