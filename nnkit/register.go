package nnkit

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// Register tells of layers, activations, losses, metrics, schedules and optimizers of one's own, so that [Model.Save] can write models that have
// them and [Load] read them: in every program that does either.
//
//	nnkit.Register(&gain{}, nnkit.Lambda("double", double), nnkit.Merge("distance", distance), nnkit.LossFunc("log_cosh", logCosh))
//
// A layer is given by a value of its type, a pointer, which is not used further: what a file holds of a layer are the
// exported fields, as JSON, beside its parameters; a layer behind which there are functions of fields that are not exported
// comes back without these. All others count by their name; of an
// optimizer its options count for nothing. A later value of the same name
// takes the place of the earlier one.
func Register(values ...any) error {
	for i, v := range values {
		var key registration
		switch v := v.(type) {
		case *lambdaLayer:
			key = registration{"layer", v.layer.name}
		case *Symbol:
			l, ok := v.layer.(*mergeLayer)
			if !ok || l.merge != ownMerge {
				return fmt.Errorf("Register: value %d is a symbol that no Merge has made", i+1)
			}
			registered.Store(registration{"merge", l.layer.name}, l.f)
			continue
		case Layer:
			if t := reflect.TypeOf(v); t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
				return fmt.Errorf("Register: value %d is a %T: give a pointer to it, &%v{}", i+1, v, t.Name())
			}
			if v.core().made.call != "" {
				return fmt.Errorf("Register: value %d is a layer of this package, which needs no registration", i+1)
			}
			key = registration{"layer", kindOf(v)}
		case Activation:
			key = registration{"Activation", v.String()}
		case Loss:
			key = registration{"Loss", v.String()}
		case Metric:
			key = registration{"Metric", v.String()}
		case Schedule:
			key = registration{"Schedule", v.text}
		case *optimizer:
			if _, own := v.formula.(*ownFormula); !own {
				return fmt.Errorf("Register: value %d is an optimizer of this package, which needs no registration", i+1)
			}
			key = registration{"Optimizer", v.name}
		default:
			return fmt.Errorf("Register: value %d is a %T: it must be a layer, an activation, a loss, a metric, a schedule or an optimizer", i+1, v)
		}
		registered.Store(key, v)
	}
	return nil
}

// registered holds what was registered, by what it is and its name.
var registered sync.Map

type registration struct{ kind, name string }

// registeredAs returns what was registered under a name.
func registeredAs[T any](name string) (T, error) {
	var none T
	kind := reflect.TypeFor[T]().Name()
	v, ok := registered.Load(registration{kind, name})
	if !ok {
		return none, fmt.Errorf("the %s %q is not registered: make it in this program, too, and give it to nnkit.Register before",
			kindWords[kind], name)
	}
	return v.(T), nil
}

var kindWords = map[string]string{
	"Activation": "activation", "Loss": "loss", "Metric": "metric", "Schedule": "schedule", "Optimizer": "optimizer",
}

func registeredSource(kind string, v any, name string) (string, error) {
	if w, ok := registered.Load(registration{kind, name}); ok && reflect.TypeOf(w) == reflect.TypeOf(v) {
		return fmt.Sprintf("Registered%s(%q)", kind, name), nil
	}
	return "", fmt.Errorf("a file cannot hold the function of the %s %q: give it to nnkit.Register, and the same to the program that loads the file",
		kindWords[kind], name)
}

// sourceOfRegistered writes a layer of a user's own.
func sourceOfRegistered(l Layer) (string, error) {
	_, lambda := l.(*lambdaLayer)
	name := kindOf(l)
	if lambda {
		name = l.core().name
		if inner := l.core().inner; inner != "" {
			name = inner
		}
	}
	w, ok := registered.Load(registration{"layer", name})
	if !ok || reflect.TypeOf(w) != reflect.TypeOf(l) {
		if lambda {
			return "", errors.New("a file cannot hold its function: give the layer to nnkit.Register, and the same to the program that loads the file")
		}
		return "", fmt.Errorf("a file cannot hold the type %T by itself: call nnkit.Register(&%s{}), also in the program that loads the file",
			l, reflect.TypeOf(l).Elem().Name())
	}
	if lambda {
		return fmt.Sprintf("RegisteredLayer(%q)", name), nil
	}
	fields, err := json.Marshal(l)
	if err != nil {
		return "", fmt.Errorf("the exported fields of %T cannot be written as JSON: %w", l, err)
	}
	if string(fields) == "{}" {
		return fmt.Sprintf("RegisteredLayer(%q)", name), nil
	}
	return fmt.Sprintf("RegisteredLayer(%q, %q)", name, fields), nil
}

// registeredLayer makes a layer of a user's own again.
func registeredLayer(name string, fields ...string) (Layer, error) {
	v, ok := registered.Load(registration{"layer", name})
	if !ok {
		return nil, fmt.Errorf("the layer %q is of a type of its author's own, which is not registered: declare it in this program, too, "+
			"and give a value of it to nnkit.Register before", name)
	}
	if l, ok := v.(*lambdaLayer); ok {
		return Lambda(name, l.f), nil
	}
	l := reflect.New(reflect.TypeOf(v).Elem()).Interface().(Layer)
	for _, text := range fields {
		if err := json.Unmarshal([]byte(text), l); err != nil {
			return nil, fmt.Errorf("the fields of the layer %q: %w", name, err)
		}
	}
	return l, nil
}

// registeredMerge makes a merge of a user's own again.
func registeredMerge(name string) (Layer, error) {
	f, ok := registered.Load(registration{"merge", name})
	if !ok {
		return nil, fmt.Errorf("the function of the Merge %q is not registered: make it in this program, too, and give it to nnkit.Register before", name)
	}
	return Merge(name, f.(func(x ...*Tensor) *Tensor)).layer, nil
}

// registeredOptimizer makes an optimizer of a user's own again, with other options.
func registeredOptimizer(name string, options ...optimizerOption) (Optimizer, error) {
	own, err := registeredAs[Optimizer](name)
	if err != nil {
		return nil, err
	}
	return newOptimizer(optimizer{name: name, formula: own.(*optimizer).formula}, 0.001, options), nil
}
