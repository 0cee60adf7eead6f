package data

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// CSVOptions say how a table of text is to be understood. What is left out is inferred.
type CSVOptions struct {
	Target     string   // the column that becomes Y; by default the last one
	Drop       []string // columns to leave out
	Categories []string // columns of categories, whatever they look like: postcodes, for example
	Numbers    []string // columns of numbers: what is none is an error
	Missing    []string // what stands for a missing value; by default nothing at all, NA, N/A, NaN, null, None and ?
	Comma      rune     // between the fields; by default a comma
	Names      []string // the columns' names, where the first line is no header but data
	NoHeader   bool     // the first line is data, and the columns are called 0, 1, 2 …
	Name       string   // of the Dataset
}

// LoadCSV reads a file of comma-separated values; [ReadCSV] says how.
//
//	passengers, err := data.LoadCSV("titanic.csv", data.CSVOptions{Target: "survived", Drop: []string{"name"}})
func LoadCSV(path string, o CSVOptions) (*Dataset, error) {
	if o.Name == "" {
		o.Name = filepath.Base(path)
	}
	return load("LoadCSV", path, func(f io.Reader) (*Dataset, error) { return readCSV(f, o) })
}

// load opens a file, reads it and says of which file an error tells.
func load[T any](call, path string, read func(f io.Reader) (T, error)) (T, error) {
	f, err := os.Open(path)
	if err != nil {
		var none T
		return none, fmt.Errorf("%s: %w", call, err) // it names the file
	}
	defer f.Close()
	value, err := read(f)
	if err != nil {
		return value, fmt.Errorf("%s: %s: %w", call, path, err)
	}
	return value, nil
}

// ReadCSV reads comma-separated values (RFC 4180), the first line of which names the columns. A column in which all
// values are numbers, or missing, is one of numbers; all else are categories, numbered in the order of their names, and
// [Feature].Classes has the names. What is missing is NaN, for [Impute] or [Dataset.DropMissing].
//
// Errors name line and column. So it is an error when nearly all values of a column are numbers and some are not, since
// that is more often a slip of the pen than a category; Categories, Numbers and Missing say what is meant.
func ReadCSV(r io.Reader, o CSVOptions) (*Dataset, error) {
	d, err := readCSV(r, o)
	if err != nil {
		return nil, fmt.Errorf("ReadCSV: %w", err)
	}
	return d, nil
}

var missingByDefault = []string{"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"}

// record is a line of the table.
type record struct {
	line   int
	fields []string
}

func readCSV(r io.Reader, o CSVOptions) (*Dataset, error) {
	if o.Missing == nil {
		o.Missing = missingByDefault
	}
	records, err := readRecords(r, o.Comma)
	if err != nil {
		return nil, err
	}
	names, records, err := o.header(records)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, errors.New("there is a header, but no data")
	}
	if o.Target == "" {
		o.Target = names[len(names)-1]
	}
	for _, list := range []struct {
		option string
		names  []string
	}{{"Target", []string{o.Target}}, {"Drop", o.Drop}, {"Categories", o.Categories}, {"Numbers", o.Numbers}} {
		for _, name := range list.names {
			if !slices.Contains(names, name) {
				return nil, fmt.Errorf("%s names the column %q, which is not there; there are %s", list.option, name, strings.Join(names, ", "))
			}
		}
	}
	if slices.Contains(o.Drop, o.Target) {
		return nil, fmt.Errorf("the column %q is the target, and cannot be dropped: name another Target", o.Target)
	}
	d := &Dataset{Name: o.Name, X: make([][]float64, len(records))}
	for j, name := range names {
		if slices.Contains(o.Drop, name) {
			continue
		}
		feature, values, err := o.column(name, records, j)
		if err != nil {
			return nil, err
		}
		if name == o.Target {
			d.Target, d.Y = feature, values
			continue
		}
		d.Features = append(d.Features, feature)
		for i, v := range values {
			d.X[i] = append(d.X[i], v)
		}
	}
	if len(d.Features) == 0 {
		return nil, fmt.Errorf("there is no column beside the target %q: check Comma, it is %q", o.Target, commaOf(o.Comma))
	}
	return d, nil
}

func commaOf(comma rune) rune {
	if comma == 0 {
		return ','
	}
	return comma
}

func readRecords(r io.Reader, comma rune) ([]record, error) {
	c := csv.NewReader(&lines{Reader: r})
	c.Comma = commaOf(comma)
	c.FieldsPerRecord = -1 // our own message says more
	c.TrimLeadingSpace = true
	var all []record
	for {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err // it names line and column
		}
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		line, _ := c.FieldPos(0)
		if len(all) == 0 {
			fields[0] = strings.TrimPrefix(fields[0], "\uFEFF")
		} else if len(fields) != len(all[0].fields) {
			return nil, fmt.Errorf("line %d has %d fields and line %d has %d: a field that contains %q must stand in quotation marks",
				line, len(fields), all[0].line, len(all[0].fields), c.Comma)
		}
		all = append(all, record{line, fields})
	}
	if len(all) == 0 {
		return nil, errors.New("there is nothing in it")
	}
	return all, nil
}

// longestLine is how long a line may be, in bytes: half a million numbers.
const longestLine = 4 << 20

// lines reads a text whose lines end. What has none, a file of another kind, would be taken for one line, and its fields
// for columns.
type lines struct {
	io.Reader
	number, length int
}

func (l *lines) Read(b []byte) (int, error) {
	n, err := l.Reader.Read(b)
	if end := bytes.LastIndexByte(b[:n], '\n'); end >= 0 {
		l.number += bytes.Count(b[:n], []byte("\n"))
		l.length = n - end - 1
	} else {
		l.length += n
	}
	if l.length > longestLine {
		return n, fmt.Errorf("line %d has more than %d bytes: it is no table, or its lines do not end", l.number+1, longestLine)
	}
	return n, err
}

// header parts the names from the data.
func (o *CSVOptions) header(records []record) (names []string, rest []record, err error) {
	first := records[0].fields
	switch {
	case o.Names != nil:
		if len(o.Names) != len(first) {
			return nil, nil, fmt.Errorf("Names has %d names for %d columns", len(o.Names), len(first))
		}
		names, rest = o.Names, records
	case o.NoHeader:
		for j := range first {
			names = append(names, strconv.Itoa(j))
		}
		rest = records
	default:
		if !slices.ContainsFunc(first, func(s string) bool { _, ok := parseNumber(s); return !ok }) {
			return nil, nil, fmt.Errorf("line %d should name the columns and is all numbers: set NoHeader or Names", records[0].line)
		}
		names, rest = slices.Clone(first), records[1:]
		for j, name := range names {
			if name == "" {
				names[j] = strconv.Itoa(j)
			}
		}
	}
	place := make(map[string]int, len(names))
	for j, name := range names {
		if at, twice := place[name]; twice {
			return nil, nil, fmt.Errorf("columns %d and %d (counted from 1) are both called %q: give other Names", at+1, j+1, name)
		}
		place[name] = j
	}
	return names, rest, nil
}

// column makes numbers of column j.
func (o *CSVOptions) column(name string, records []record, j int) (Feature, []float64, error) {
	feature := Feature{Name: name}
	values := make([]float64, len(records))
	numbers, there := 0, 0
	var odd *record // the first that is no number
	for i := range records {
		field := records[i].fields[j]
		if slices.Contains(o.Missing, field) {
			values[i] = math.NaN()
			continue
		}
		there++
		v, ok := parseNumber(field)
		values[i] = v
		if ok {
			numbers++
		} else if odd == nil {
			odd = &records[i]
		}
	}
	categories := slices.Contains(o.Categories, name)
	switch {
	case categories:
	case odd == nil:
		return feature, values, nil
	case slices.Contains(o.Numbers, name):
		return feature, nil, fmt.Errorf("line %d, column %q: %q is no number: correct it, or add it to Missing", odd.line, name, odd.fields[j])
	case numbers > 0 && numbers*10 >= there*9:
		return feature, nil, fmt.Errorf("line %d, column %q: %q is no number, though %d of %d values are: correct it, add it to Missing, "+
			"or name the column in Categories", odd.line, name, odd.fields[j], numbers, there)
	}
	place := map[string]int{}
	for _, r := range records {
		if field := r.fields[j]; !slices.Contains(o.Missing, field) {
			place[field] = 0
		}
	}
	for class := range place {
		feature.Classes = append(feature.Classes, class)
	}
	slices.Sort(feature.Classes)
	for i, class := range feature.Classes {
		place[class] = i
	}
	for i, r := range records {
		if at, ok := place[r.fields[j]]; ok {
			values[i] = float64(at)
		}
	}
	return feature, values, nil
}

// parseNumber takes what people write, not Go's hexadecimal and infinite numbers.
func parseNumber(s string) (float64, bool) {
	if strings.ContainsAny(s, "xXiInN_") {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}

// DropMissing returns the rows in which nothing is missing, as pandas' dropna does. The rows are shared with d.
func (d *Dataset) DropMissing() *Dataset {
	var rows []int
	for i, row := range d.X {
		if !slices.ContainsFunc(row, math.IsNaN) && !math.IsNaN(d.Y[i]) {
			rows = append(rows, i)
		}
	}
	return d.Take(rows)
}
