package display

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// runSettings are what a run was made with: what was given for it by name, which says most, and the rest.
type runSettings struct{ given, other map[string]string }

// tellApart names runs by the settings in which they differ: those given by name, or where these are the same the others. A
// name that says nothing, or that two have, gets the run's number.
func tellApart(runs []runSettings) []string {
	names := differing(runs, func(r runSettings) map[string]string { return r.given })
	if !slices.ContainsFunc(names, func(name string) bool { return name != "" }) {
		names = differing(runs, func(r runSettings) map[string]string { return r.other })
	}
	numbered := slices.Clone(names)
	for i, name := range names {
		if name == "" || slices.Index(names, name) != i || slices.Contains(names[i+1:], name) {
			numbered[i] = strings.TrimSpace(fmt.Sprintf("run %d %s", i+1, name))
		}
	}
	return numbered
}

// differing writes of each run the settings that are not the same in all of them.
func differing(runs []runSettings, of func(runSettings) map[string]string) []string {
	names := make([]string, len(runs))
	for i, r := range runs {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(of(r))) {
			value := of(r)[name]
			if slices.ContainsFunc(runs, func(other runSettings) bool { return of(other)[name] != value }) {
				parts = append(parts, name+"="+value)
			}
		}
		names[i] = strings.Join(parts, " ")
	}
	return names
}
