package whole

import (
	"fmt"
	"reflect"
	"strconv"
	"time"
)

// A Parameter is a variable of the notebook that a flag sets.
type Parameter struct {
	Name    string
	Pointer any    // to the variable
	Text    string // of the value that its cell gives it
	About   string // what the cell says about it

	value reflect.Value // that the flag has, invalid if there is none
}

// apply sets the variable if the command line says so.
func (p *Parameter) apply() {
	if p.value.IsValid() {
		reflect.ValueOf(p.Pointer).Elem().Set(p.value)
	}
}

func (p *Parameter) usage() string {
	t := reflect.TypeOf(p.Pointer).Elem()
	usage := fmt.Sprintf("`%s`", t)
	if t.Kind() == reflect.Bool {
		usage = "bool"
	}
	if p.About != "" {
		usage += ", " + p.About
	}
	return usage + " (default " + p.Text + ")"
}

// String implements flag.Value. The default is part of the usage.
func (p *Parameter) String() string { return "" }

// IsBoolFlag lets a flag stand without a value.
func (p *Parameter) IsBoolFlag() bool {
	return p.Pointer != nil && reflect.TypeOf(p.Pointer).Elem().Kind() == reflect.Bool
}

// Set implements flag.Value.
func (p *Parameter) Set(text string) error {
	v := reflect.New(reflect.TypeOf(p.Pointer).Elem()).Elem()
	t := v.Type()
	var err error
	switch {
	case t == reflect.TypeFor[time.Duration]():
		var d time.Duration
		if d, err = time.ParseDuration(text); err == nil {
			v.SetInt(int64(d))
		}
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		var b bool
		if b, err = strconv.ParseBool(text); err == nil {
			v.SetBool(b)
		}
	case v.CanInt():
		var n int64
		if n, err = strconv.ParseInt(text, 0, t.Bits()); err == nil {
			v.SetInt(n)
		}
	case v.CanUint():
		var n uint64
		if n, err = strconv.ParseUint(text, 0, t.Bits()); err == nil {
			v.SetUint(n)
		}
	case v.CanFloat():
		var x float64
		if x, err = strconv.ParseFloat(text, t.Bits()); err == nil {
			v.SetFloat(x)
		}
	default:
		return fmt.Errorf("a parameter of type %s cannot be set", t)
	}
	if err != nil {
		return fmt.Errorf("want a value of type %s", t)
	}
	p.value = v
	return nil
}
