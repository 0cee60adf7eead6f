package experiment

import (
	"fmt"
	"strings"
)

// An Axis is a parameter of a sweep and the values that it takes.
type Axis struct {
	Name   string
	Values []string
}

// ParseAxis reads "name=value,value,…". Commas within brackets, braces, parentheses
// and quotes belong to a value.
func ParseAxis(text string) (Axis, error) {
	s, err := ParseSetting(text)
	if err != nil {
		return Axis{}, fmt.Errorf("%q is not of the form NAME=VALUE,VALUE…, as in rate=0.1,0.01", text)
	}
	a := Axis{Name: s.Name}
	for _, v := range splitValues(s.Value) {
		if v = strings.TrimSpace(v); v == "" {
			return Axis{}, fmt.Errorf("%q has a value that is empty: write them as in rate=0.1,0.01", text)
		}
		a.Values = append(a.Values, v)
	}
	return a, nil
}

// splitValues splits at commas that are in no brackets and no quotes.
func splitValues(text string) []string {
	var values []string
	depth, start := 0, 0
	quote := rune(0)
	escaped := false
	for i, r := range text {
		switch {
		case escaped:
			escaped = false
		case quote != 0:
			escaped = r == '\\' && quote != '`'
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '`':
			quote = r
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]}", r):
			depth--
		case r == ',' && depth <= 0:
			values = append(values, text[start:i])
			start = i + 1
		}
	}
	return append(values, text[start:])
}

// Grid returns all combinations of the axes' values, the last axis fastest.
func Grid(axes []Axis) [][]Setting {
	grid := [][]Setting{nil}
	for _, a := range axes {
		var longer [][]Setting
		for _, point := range grid {
			for _, v := range a.Values {
				longer = append(longer, append(point[:len(point):len(point)], Setting{a.Name, v}))
			}
		}
		grid = longer
	}
	return grid
}
