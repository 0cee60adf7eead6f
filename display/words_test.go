package display

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var verb = regexp.MustCompile(`%[a-z]`)

// The table has no sentence that no figure says, and each takes what the English one takes.
func TestWords(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, name := range names {
		if name == "words.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	data := []string{"loss", "accuracy", "val loss", "val accuracy"} // names of metrics
	for english, said := range chinese {
		if english != said && !strings.Contains(source.String(), `"`+english+`"`) && !strings.Contains(strings.Join(data, "|"), english) {
			t.Errorf("no figure says %q", english)
		}
		if want, got := verb.FindAllString(english, -1), verb.FindAllString(said, -1); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q takes %v, %q takes %v", english, want, said, got)
		}
	}
}

// Figures of each kind that the Chinese tutorials have say nothing in English, whatever the order of the options.
func TestChinese(t *testing.T) {
	y := []float64{0.5, 0.4, 0.3}
	ask := func(points [][]float64) ([][]float64, error) {
		answers := make([][]float64, len(points))
		for i := range answers {
			answers[i] = []float64{0.3}
		}
		return answers, nil
	}
	bowl := func(x, y float64) float64 { return 1 + x*x + y*y }
	path := Path{Name: "甲", Points: [][2]float64{{0.5, 0.5}, {3, 3}, {0.1, 0}}}
	for _, c := range []struct {
		figure *Figure
		wants  []string
	}{
		{Curve(Metrics{"loss": y, "val_loss": y}, Chinese), []string{">损失<", ">训练<", ">验证<", ">轮<", ">验证最好 0.3000，在第 3 轮<"}},
		{Compare([]Run{{"甲", Metrics{"accuracy": y}}}, Chinese, Light), []string{">准确率<", ">训练最好 0.5000，甲，在第 1 轮<"}},
		{Histograms([]Sample{{Name: "甲", Values: []float64{1, 2, 4}}}, Chinese), []string{">柱高是个数，点线是零。<", ">3 个，平均 2.33 ± 1.25<"}},
		{Boundary([][]float64{{0, 0}, {1, 1}}, []int{0, 1}, ask, Chinese, Dark), []string{">决策边界<", ">1 / 2 个点在对的一边，50.0 %<", ">第一个特征<", ">第二个特征<"}},
		{
			LossSurface(bowl, []Path{path}, Within(-1, 1, -1, 1), Chinese),
			[]string{">损失曲面<", "；○ 起点，● 终点<", ">路径上有 1 个点在图外<", ">第一个参数<"},
		},
		{Ridges([]Sample{{"甲", "1", y}, {"甲", "2", y}}, Chinese), []string{">标准差：0.0816（1），0.0816（2）<"}},
	} {
		svg := c.figure.SVG()
		for _, want := range c.wants {
			if !strings.Contains(svg, want) {
				t.Errorf("%s: nowhere stands %s", c.figure, want)
			}
		}
		for _, m := range svgText.FindAllStringSubmatch(svg, -1) {
			if regexp.MustCompile(`[a-z]{3}`).MatchString(m[2]) {
				t.Errorf("%s: it says %q", c.figure, m[2])
			}
		}
	}
}
