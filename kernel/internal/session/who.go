package session

import (
	"context"
	"errors"
	"fmt"
	"html"
	"strings"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
	"github.com/seed5607215b/nnkit/kernel/internal/message"
	"github.com/seed5607215b/nnkit/kernel/internal/program"
	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// whoKey is live.WhoKey, which says what is under it.
const whoKey = "variables"

// who runs a cell of its own that looks at the variables where they are.
func (c *call) who() error {
	if len(c.args) > 0 {
		return errUsage
	}
	if c.Place == cell.Between {
		return errors.New("%who stands at the beginning or at the end of a cell")
	}
	plan, vars, err := c.program.PlanVariables(c.count)
	if err != nil {
		return err
	}
	rows := [][]string{{"name", "type", "size", "value", "cell"}}
	if plan != nil {
		values, ended, err := c.inspect(plan)
		if ended && err == nil {
			return c.who() // which values there were is another question now
		}
		if err != nil {
			return err
		}
		for i, d := range vars {
			rows = append(rows, []string{d.Name, d.Detail, values[i][0], values[i][1], cellName(d)})
		}
	}
	for _, d := range c.program.Declarations() {
		if d.Kind == "var" && d.Lost != "" {
			rows = append(rows, []string{d.Name, d.Detail, "", "no value: " + d.Lost, cellName(d)})
		}
	}
	if len(rows) == 1 {
		c.print("there are no variables")
		return nil
	}
	c.outlet.Display(message.DisplayData{Data: message.MIMEBundle{"text/plain": table(rows), "text/html": htmlTable(rows)}})
	return nil
}

// inspect runs a plan whose entry sends the size and the value of each variable,
// unless the worker that had them has ended.
func (c *call) inspect(plan *program.Plan) (values [][2]string, ended bool, err error) {
	if ended, err := c.ready(c.ctx); ended || err != nil {
		return nil, ended, err
	}
	if err := c.runner.load(c.ctx, plan); err != nil {
		return nil, false, c.died(err)
	}
	values, outcome, err := c.look(c.ctx, c.count, plan)
	if err != nil {
		return nil, false, c.died(err)
	}
	if outcome.Status != wire.OK {
		return nil, false, &cellError{outcome}
	}
	return values, false, nil
}

// look runs such a plan, which is loaded.
func (s *Session) look(ctx context.Context, count int, plan *program.Plan) ([][2]string, wire.Outcome, error) {
	values, outcome, err := s.collect(func() (wire.Outcome, error) { return s.runner.run(ctx, count, plan) })
	for i, v := range values {
		values[i] = [2]string{program.Unversioned(v[0]), program.Unversioned(v[1])}
	}
	return values, outcome, err
}

// collect returns what a run sends.
func (s *Session) collect(run func() (wire.Outcome, error)) ([][2]string, wire.Outcome, error) {
	out := s.outlet.get()
	defer s.outlet.set(out)
	result := &resultOf{Output: out}
	s.outlet.set(result)
	outcome, err := run()
	return result.values, outcome, err
}

// resultOf is an Output that keeps what live.Who sends.
type resultOf struct {
	message.Output
	values [][2]string
}

// Result implements message.Output.
func (r *resultOf) Result(data message.MIMEBundle, _ map[string]any) {
	rows, _ := data[whoKey].([]any)
	for _, row := range rows {
		var value [2]string
		if row, ok := row.([]any); ok && len(row) == len(value) {
			for i := range value {
				value[i] = fmt.Sprint(row[i])
			}
		}
		r.values = append(r.values, value)
	}
}

func htmlTable(rows [][]string) string {
	var b strings.Builder
	b.WriteString("<table>\n")
	for i, r := range rows {
		tag := "td"
		if i == 0 {
			tag = "th"
		}
		b.WriteString("<tr>")
		for _, text := range r {
			fmt.Fprintf(&b, "<%s style=\"text-align: left\">%s</%[1]s>", tag, html.EscapeString(text))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</table>")
	return b.String()
}
