package display

import "fmt"

// Chinese writes what figures say of themselves in Chinese: captions, keys and the names of axes that nobody has named. What you name yourself
// and what a model's layers are called stays as it is, as do sentences about what could not be drawn.
//
//	display.Defaults(display.Chinese)
//
// A figure with Chinese letters is an SVG in a notebook, since our font has none for a bitmap.
var Chinese Option = option(func(s *settings) { s.words = chinese })

// words are what figures say, by the English for it: words and formats.
type words map[string]string

// word is a word in the figure's language.
func (t Theme) word(english string) string {
	if s, ok := t.words[english]; ok {
		return s
	}
	return english
}

// say is a sentence in the figure's language.
func (t Theme) say(format string, args ...any) string {
	return fmt.Sprintf(t.word(format), args...)
}

// count is a number of things in the figure's language.
func (t Theme) count(n int, noun string) string {
	if s, ok := t.words[noun]; ok {
		return fmt.Sprintf("%d %s", n, s)
	}
	return count(n, noun)
}

var chinese = words{
	"loss": "损失", "accuracy": "准确率", "val loss": "验证损失", "val accuracy": "验证准确率",
	"train": "训练", "training": "训练", "validation": "验证", "epoch": "轮",
	"best %s %s at epoch %d":       "%s最好 %s，在第 %d 轮",
	"best %s %s by %s at epoch %d": "%s最好 %s，%s，在第 %d 轮",

	"epoch %d of %d": "第 %d 轮，共 %d 轮", "%s, batch %d of %d": "%s，第 %d 批，共 %d 批", "%s, %s": "%s，%s",
	"done": "完成", "interrupted": "已中断", "stopped": "已停止", "stopped, the loss is no longer a number": "已停止，损失不再是数",
	"%s, %s batches/s": "%s，每秒 %s 批", "%s, %s left": "%s，还剩 %s",

	"Bars count values; the dotted line marks zero.": "柱高是个数，点线是零。",
	"one value, %s": "只有一个值，%s", "n %d, all %s": "%d 个，全是 %s", "n %d, mean %s ± %s": "%d 个，平均 %s ± %s",
	"standard deviation %s at %s, %s at %s": "标准差：%s（%s），%s（%s）",

	"decision boundary": "决策边界", "first feature": "第一个特征", "second feature": "第二个特征",
	"%d of %d points on the right side, %s": "%d / %d 个点在对的一边，%s",

	"loss surface": "损失曲面", "loss landscape": "损失地形", "first parameter": "第一个参数", "second parameter": "第二个参数",
	"× the lowest loss seen, %s at (%s, %s)": "× 最低的损失 %s，在 (%s, %s)", "%s; ○ start, ● end": "%s；○ 起点，● 终点",
	"%s of paths outside of the picture": "路径上有 %s在图外", "point": "个点",
}
