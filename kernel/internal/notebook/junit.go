package notebook

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// A Check is what a report tells of one cell.
type Check struct {
	Name    string // which cell
	Elapsed time.Duration
	Failure string // in a line, "" if all is well
	Detail  string // what more there is to say of the failure
}

// CheckOf returns the check of a cell that has ended.
func CheckOf(p Progress) Check {
	c := Check{Name: fmt.Sprintf("In [%d] %s", p.Cell, Shorten(p.FirstLine, 60)), Elapsed: p.Elapsed}
	if p.Err != nil {
		c.Failure = p.Err.Error()
		c.Detail = withoutEscapes(strings.Join(p.Err.Traceback, "\n"))
	}
	return c
}

// WriteJUnitFile writes checks to the file of that name as [WriteJUnit] does; it is
// replaced as a whole or not at all.
func WriteJUnitFile(name, suite string, checks []Check) error {
	if err := replaceFile(name, func(w io.Writer) error { return WriteJUnit(w, suite, checks) }); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// WriteJUnit writes checks as the report of a test suite, in the form of Apache
// Ant's task JUnit that build servers read.
func WriteJUnit(w io.Writer, suite string, checks []Check) error {
	type failure struct {
		Message string `xml:"message,attr"`
		Detail  string `xml:",chardata"`
	}
	type testcase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		Time    string   `xml:"time,attr"`
		Failure *failure `xml:"failure"`
	}
	type testsuite struct {
		XMLName  xml.Name   `xml:"testsuite"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Time     string     `xml:"time,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
	s := testsuite{Name: suite, Tests: len(checks)}
	var total time.Duration
	for _, c := range checks {
		total += c.Elapsed
		t := testcase{Name: c.Name, Class: suite, Time: seconds(c.Elapsed)}
		if c.Failure != "" {
			s.Failures++
			t.Failure = &failure{c.Failure, c.Detail}
		}
		s.Cases = append(s.Cases, t)
	}
	s.Time = seconds(total)
	text, err := xml.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}
