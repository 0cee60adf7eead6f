package nnkit

import (
	"reflect"
	"strings"
	"testing"
)

// Each method of a model that is nil, because its making has failed and nobody looked, says so.
func TestNoModel(t *testing.T) {
	v := reflect.ValueOf((*Model)(nil))
	for i := range v.NumMethod() {
		name, method := v.Type().Method(i).Name, v.Method(i)
		var args []reflect.Value
		fixed := method.Type().NumIn()
		if method.Type().IsVariadic() {
			fixed--
		}
		for j := range fixed {
			args = append(args, reflect.Zero(method.Type().In(j)))
		}
		said := func() (said string) {
			defer func() {
				if p := recover(); p != nil {
					err, ok := p.(*OperationError)
					if !ok {
						t.Errorf("%s panics: %v", name, p)
						return
					}
					said = err.Error()
				}
			}()
			for _, r := range method.Call(args) {
				switch r := r.Interface().(type) {
				case error:
					said = r.Error()
				case string:
					said = r
				case []*Symbol:
					said = r[0].err.Error()
				}
			}
			return said
		}()
		if !strings.Contains(said, "the model is nil") && !strings.Contains(said, "nil>") && !strings.Contains(said, "&lt;nil&gt;") {
			t.Errorf("%s of a nil model says %q", name, said)
		}
	}
}
