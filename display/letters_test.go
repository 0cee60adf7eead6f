package display

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Wherever something is written in letters that our font lacks, a notebook gets no bitmap, which would have gaps.
func TestLettersOfOtherScripts(t *testing.T) {
	y := []float64{1, 2, 3}
	many := make([]float64, manyPoints+1)
	for _, c := range []struct {
		name    string
		figure  *Figure
		written string
	}{
		{"title", Plot([]Series{{Y: y}}, Title("梯度下降")), "梯度下降"},
		{"axis", Plot([]Series{{Y: y}}, AxisNames("学习率", "loss")), "学习率"},
		{"name above", Plot([]Series{{Y: y}}, AxisNames("x", "损失")), "损失"},
		{"key", Plot([]Series{{Name: "测试集", Y: y}}), "测试集"},
		{"tick", Ridges([]Sample{{"a", "第 1 层", y}}), "第 1 层"},
		{"class", Balance([]int{0, 1}, Classes("猫", "狗")), "猫"},
		{"many points", Plot([]Series{{Y: many}}, Title("很多")), "很多"},
		{"Latin", Plot([]Series{{Name: "Größe – σ² ≤ π", Y: y}}), ""},
		{"many Latin", Plot([]Series{{Y: many}}), ""},
	} {
		bundle := c.figure.MIMEBundle()
		if c.written == "" {
			if bundle["image/png"] == nil || bundle["text/html"] != nil {
				t.Errorf("%s: there is no bitmap, or HTML beside it", c.name)
			}
			continue
		}
		page, _ := bundle["text/html"].(string)
		_, picture, _ := strings.Cut(page, "data:image/svg+xml;base64,")
		picture, _, _ = strings.Cut(picture, `"`)
		svg, err := base64.StdEncoding.DecodeString(picture)
		if err != nil || !strings.Contains(string(svg), c.written) || bundle["image/png"] != nil {
			t.Errorf("%s: a bitmap without %q, or no picture with it (%v)", c.name, c.written, err)
		}
	}
}

// A file with gaps is not written.
func TestSaveLetters(t *testing.T) {
	dir := t.TempDir()
	f := Plot([]Series{{Y: []float64{1, 2}}}, Title("梯度下降"))
	for _, name := range []string{"a.png", "a.PDF"} {
		err := f.Save(filepath.Join(dir, name))
		if err == nil || !strings.Contains(err.Error(), `our font has no letters for "梯度下降"; save it as .svg`) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if err := f.Save(filepath.Join(dir, "a.svg")); err != nil {
		t.Error(err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("there are %d files, not one", len(files))
	}
}
