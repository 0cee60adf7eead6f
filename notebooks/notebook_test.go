package notebooks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notebook is what of a notebook's file is looked at here.
type notebook struct {
	Cells []struct {
		Kind           string `json:"cell_type"`
		ID             string `json:"id"`
		Source         lines  `json:"source"`
		ExecutionCount *int   `json:"execution_count"`
		Outputs        []struct {
			Text lines `json:"text"`
			Data struct {
				Plain lines `json:"text/plain"`
			} `json:"data"`
		} `json:"outputs"`
	} `json:"cells"`
	Metadata struct {
		Kernelspec struct {
			Name string `json:"name"`
		} `json:"kernelspec"`
	} `json:"metadata"`
}

// lines is a text as notebooks store it: line by line, or as one.
type lines string

func (l *lines) UnmarshalJSON(b []byte) error {
	var many []string
	if json.Unmarshal(b, &many) == nil {
		*l = lines(strings.Join(many, ""))
		return nil
	}
	return json.Unmarshal(b, (*string)(l))
}

func (l lines) String() string { return string(l) }

func read(t *testing.T, path string) notebook {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var nb notebook
	if err := json.Unmarshal(b, &nb); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return nb
}

// prose returns the Markdown of a notebook.
func prose(t *testing.T, path string) string {
	t.Helper()
	var text strings.Builder
	for _, c := range read(t, path).Cells {
		if c.Kind == "markdown" {
			text.WriteString(c.Source.String() + "\n\n")
		}
	}
	return text.String()
}

// tutorials are the paths of all notebooks, in order, less what the run command leaves beside them.
func tutorials(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.ipynb", "*/*.ipynb"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, slices.DeleteFunc(found, func(path string) bool {
			return strings.Contains(path, ".ipynb_checkpoints") || strings.HasSuffix(path, ".executed.ipynb")
		})...)
	}
	if len(all) == 0 {
		t.Fatal("there are no notebooks")
	}
	return all
}

var link = regexp.MustCompile(`\]\(([^)#:]+)[^)]*\)`)

// Notebooks are committed without outputs, their cells have names of their own, and their links lead somewhere.
func TestTidy(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		checkLinks(t, page, string(b))
	}
	for _, path := range tutorials(t) {
		nb := read(t, path)
		if nb.Metadata.Kernelspec.Name != "nnkit" {
			t.Errorf("%s is for the kernel %q", path, nb.Metadata.Kernelspec.Name)
		}
		seen := map[string]bool{}
		for _, c := range nb.Cells {
			if c.ID == "" || seen[c.ID] {
				t.Errorf("%s: two cells, or one without a name, are %q", path, c.ID)
			}
			seen[c.ID] = true
			if len(c.Outputs) > 0 || c.ExecutionCount != nil {
				t.Errorf("%s: cell %s has outputs; notebooks are committed without", path, c.ID)
			}
		}
		checkLinks(t, path, prose(t, path))
	}
}

func checkLinks(t *testing.T, path, text string) {
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
			t.Errorf("%s has a link to %s, which is not there", path, m[1])
		}
	}
}

// The list of tutorials for JupyterLab, which shows the source of a page in Markdown, is the one of the README, and has them all.
func TestIndex(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\|.*\|$`)
	page, index := row.FindAllString(string(b), -1), row.FindAllString(prose(t, "00-index.ipynb"), -1)
	if !slices.Equal(page, index) {
		t.Errorf("the README has\n%s\nand 00-index.ipynb has\n%s", strings.Join(page, "\n"), strings.Join(index, "\n"))
	}
	for _, path := range tutorials(t) {
		if path != "00-index.ipynb" && !strings.Contains(strings.Join(page, "\n"), "]("+filepath.ToSlash(path)+")") {
			t.Errorf("%s is not in the list", path)
		}
	}
}
