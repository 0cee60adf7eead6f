package nnkit

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"text/scanner"
)

// A file holds a model as one would write it in Go: Sequential(Input(8), Dense(10, ReLU), Dense(1, Sigmoid)). So there is
// nothing that a layer, an option or a loss has to add to be saved but its name in the table below, and whoever opens the
// file with another tool reads what the model is. Reading calls what has a name here and nothing else.

// vocabulary is what a file may call, or name.
var vocabulary = map[string]any{
	"Sequential": unbuiltSequential, "Functional": unbuiltFunctional, // whose sizes are checked before they are built
	"Call": namedCall, "Again": sharedCall, "Outputs": outputValues,
	"Input": Input, "Named": (*Symbol).Named,
	"Add": mergeOf(addition), "Subtract": mergeOf(subtraction), "Multiply": mergeOf(multiplication), "Average": mergeOf(averageOf),
	"Maximum": mergeOf(largestOf), "Minimum": mergeOf(smallestOf), "Concatenate": mergeOf(concatenation),
	"Masking": Masking, "MaskZero": MaskZero,
	"Dense": Dense, "Conv1D": Conv1D, "Conv2D": Conv2D, "Conv2DTranspose": Conv2DTranspose, "Embedding": Embedding,
	"LSTM": LSTM, "GRU": GRU, "SimpleRNN": SimpleRNN, "Bidirectional": Bidirectional,
	"MultiHeadAttention": MultiHeadAttention, "TransformerEncoder": TransformerEncoder,
	"PositionalEncoding": PositionalEncoding, "PositionEmbedding": PositionEmbedding,
	"LayerNormalization": LayerNormalization, "RMSNormalization": RMSNormalization,
	"BatchNormalization": BatchNormalization, "GroupNormalization": GroupNormalization,
	"MaxPooling1D": MaxPooling1D, "MaxPooling2D": MaxPooling2D,
	"AveragePooling1D": AveragePooling1D, "AveragePooling2D": AveragePooling2D,
	"GlobalMaxPooling1D": GlobalMaxPooling1D, "GlobalMaxPooling2D": GlobalMaxPooling2D,
	"GlobalAveragePooling1D": GlobalAveragePooling1D, "GlobalAveragePooling2D": GlobalAveragePooling2D,
	"Dropout": Dropout, "GaussianNoise": GaussianNoise, "Flatten": Flatten, "Reshape": Reshape,
	"ActivationLayer": ActivationLayer, "PReLU": PReLU, "Residual": Residual,

	"Name": Name, "KernelInitializer": KernelInitializer, "EmbeddingInitializer": EmbeddingInitializer, "UseBias": UseBias,
	"KernelSize": KernelSize, "Strides": Strides, "DilationRate": DilationRate, "Groups": Groups,
	"ValidPadding": ValidPadding, "SamePadding": SamePadding, "CausalPadding": CausalPadding,
	"ReturnSequences": ReturnSequences, "GoBackwards": GoBackwards, "Causal": Causal, "AttentionDropout": AttentionDropout,
	"NormEpsilon": NormEpsilon, "MovingMomentum": MovingMomentum,

	"Linear": Linear, "ReLU": ReLU, "Sigmoid": Sigmoid, "Tanh": Tanh, "Softmax": Softmax, "LogSoftmax": LogSoftmax,
	"GELU": GELU, "TanhGELU": TanhGELU, "SiLU": SiLU, "ELU": ELU, "SELU": SELU, "LeakyReLU": LeakyReLU,
	"LeakyReLUSlope": LeakyReLUSlope, "Softplus": Softplus, "Softsign": Softsign, "Mish": Mish,
	"HardSigmoid": HardSigmoid, "HardSwish": HardSwish,

	"GlorotUniform": GlorotUniform, "GlorotNormal": GlorotNormal, "HeUniform": HeUniform, "HeNormal": HeNormal,
	"LeCunUniform": LeCunUniform, "LeCunNormal": LeCunNormal, "VarianceScaling": VarianceScaling,
	"FanIn": FanIn, "FanOut": FanOut, "FanAvg": FanAvg, "UniformDistribution": UniformDistribution,
	"TruncatedNormalDistribution": TruncatedNormalDistribution, "NormalDistribution": NormalDistribution,
	"Zeros": Zeros, "Ones": Ones, "Orthogonal": Orthogonal, "Constant": Constant, "Identity": Identity,
	"RandomNormal": RandomNormal, "TruncatedNormal": TruncatedNormal, "RandomUniform": RandomUniform,

	"GradientDescent": GradientDescent, "SGD": SGD, "AdaGrad": AdaGrad, "AdaDelta": AdaDelta, "RMSprop": RMSprop, "Adam": Adam,
	"AdamW": AdamW, "NAdam": NAdam, "Adamax": Adamax, "Lion": Lion,
	"LearningRate": learningRateOf, "Momentum": Momentum, "Nesterov": Nesterov, "InitialAccumulator": InitialAccumulator,
	"Rho": Rho, "Centered": Centered, "Beta1": Beta1, "Beta2": Beta2, "Epsilon": Epsilon, "AMSGrad": AMSGrad,
	"WeightDecay": WeightDecay, "ClipValue": ClipValue, "ClipNorm": ClipNorm, "GlobalClipNorm": GlobalClipNorm,
	"GradientAccumulation": GradientAccumulation, "MovingAverage": MovingAverage,
	"ExponentialDecay": ExponentialDecay, "InverseTimeDecay": InverseTimeDecay, "PolynomialDecay": PolynomialDecay,
	"CosineDecay": CosineDecay, "CosineDecayRestarts": CosineDecayRestarts, "OneCycle": OneCycle,
	"PiecewiseConstantDecay": PiecewiseConstantDecay, "Warmup": warmupOf, "ParameterGroup": ParameterGroup[string], "RateFactor": RateFactor,
	"Staircase": Staircase(), "Cycle": Cycle(), "EndLearningRate": EndLearningRate, "Power": Power, "Alpha": Alpha, "TMul": TMul,
	"MMul": MMul, "PercentStart": PercentStart, "DivFactor": DivFactor, "FinalDivFactor": FinalDivFactor,

	"Trainable": Trainable, "BiasInitializer": BiasInitializer, "RecurrentInitializer": RecurrentInitializer,
	"KernelRegularizer": KernelRegularizer, "BiasRegularizer": BiasRegularizer, "RecurrentRegularizer": RecurrentRegularizer,
	"ActivityRegularizer": ActivityRegularizer, "L1": L1, "L2": L2, "L1L2": L1L2,
	"KernelConstraint": KernelConstraint, "BiasConstraint": BiasConstraint, "RecurrentConstraint": RecurrentConstraint,
	"MaxNorm": MaxNorm, "MinMaxNorm": MinMaxNorm, "UnitNorm": UnitNorm, "NonNeg": NonNeg,

	"BinaryCrossEntropy": BinaryCrossEntropy, "CategoricalCrossEntropy": CategoricalCrossEntropy,
	"SparseCategoricalCrossEntropy": SparseCategoricalCrossEntropy, "LabelSmoothing": CrossEntropy.LabelSmoothing,
	"KLDivergence": KLDivergence, "BinaryFocalCrossEntropy": BinaryFocalCrossEntropy, "CategoricalFocalCrossEntropy": CategoricalFocalCrossEntropy, "Poisson": Poisson,
	"Hinge": Hinge, "SquaredHinge": SquaredHinge, "CategoricalHinge": CategoricalHinge, "CosineSimilarity": CosineSimilarity,
	"MeanSquaredError": MeanSquaredError, "MeanAbsoluteError": MeanAbsoluteError, "LogCosh": LogCosh, "Huber": Huber,
	"MeanAbsolutePercentageError": MeanAbsolutePercentageError, "MeanSquaredLogarithmicError": MeanSquaredLogarithmicError,

	"Accuracy": Accuracy, "TopKAccuracy": TopKAccuracy, "Precision": Precision, "Recall": Recall, "F1Score": F1Score, "AUC": AUC,
	"Threshold": Threshold, "ClassID": ClassID, "Micro": Micro, "Macro": Macro, "Weighted": Weighted, "PR": PR,
	"RootMeanSquaredError": RootMeanSquaredError, "R2Score": R2Score,

	"Losses": lossesOf, "LossOf": func(output string, loss Loss) namedLoss { return namedLoss{output, loss} }, "LossWeight": LossWeight,
	"For": For,
	"Compile": func(optimizer Optimizer, loss Objective, metrics ...Metric) compilation {
		return compilation{optimizer, loss, metrics}
	},
	"RegisteredLayer":      registeredLayer,
	"RegisteredMerge":      registeredMerge,
	"RegisteredSchedule":   registeredAs[Schedule],
	"RegisteredOptimizer":  registeredOptimizer,
	"RegisteredActivation": registeredAs[Activation],
	"RegisteredLoss":       registeredAs[Loss],
	"RegisteredMetric":     registeredAs[Metric],
}

// wordOf returns under what names the vocabulary has its values.
var wordOf = sync.OnceValue(func() map[any]string {
	names := map[any]string{}
	for name, v := range vocabulary {
		if reflect.TypeOf(v).Kind() != reflect.Func {
			names[v] = name
		}
	}
	return names
})

// sourceOf writes a layer, an activation, an initializer, an optimizer, a loss or a metric as a call that makes it, or says
// why there is none.
func sourceOf(v any) (string, error) {
	if reflect.TypeOf(v).Comparable() {
		if name, ok := wordOf()[v]; ok {
			return name, nil
		}
	}
	switch v := v.(type) {
	case Layer:
		return sourceOfLayer(v)
	case interface{ source() (string, error) }:
		return v.source()
	case interface{ source() string }:
		return v.source(), nil
	case Activation:
		return registeredSource("Activation", v, v.String())
	case Loss:
		return registeredSource("Loss", v, v.String())
	case Metric:
		return registeredSource("Metric", v, v.String())
	}
	return "", fmt.Errorf("%v cannot be written to a file", v)
}

func sourceOfLayer(l Layer) (string, error) {
	if m, ok := l.(*Model); ok {
		return m.sourceWithin()
	}
	if m, ok := l.(*mergeLayer); ok {
		return m.source()
	}
	s := &l.core().made
	if s.call == "" {
		return sourceOfRegistered(l)
	}
	options, err := s.changed()
	if err != nil {
		return "", err
	}
	if o, ok := l.(outer); ok {
		layers, err := sourcesOf(o.inner())
		if err != nil {
			return "", err
		}
		options = append(layers, options...)
	}
	call := strings.TrimSuffix(s.call, "…)")
	if call == s.call { // it takes no options
		return call, nil
	}
	if len(options) == 0 {
		return strings.TrimSuffix(call, ", ") + ")", nil
	}
	return call + strings.Join(options, ", ") + ")", nil
}

// sourcesOf writes layers within a layer.
func sourcesOf(layers []Layer) ([]string, error) {
	texts := make([]string, len(layers))
	for i, l := range layers {
		var err error
		if texts[i], err = sourceOf(l); err != nil {
			return nil, fmt.Errorf("in it, %s: %w", l.core().where(i), err)
		}
	}
	return texts, nil
}

// changed writes the options that have changed settings.
func (s *layerSettings) changed() (options []string, err error) {
	d := s.defaults
	add := func(changed bool, format string, args ...any) {
		if changed {
			options = append(options, fmt.Sprintf(format, args...))
		}
	}
	value := func(changed bool, format string, v any) {
		if changed && err == nil {
			var text string
			text, err = sourceOf(v)
			add(true, format, text)
		}
	}
	value(s.activation != d.activation, "%s", s.activation)
	value(s.initializer != d.initializer, "KernelInitializer(%s)", s.initializer)
	value(s.table != d.table, "EmbeddingInitializer(%s)", s.table)
	add(s.useBias != d.useBias, "UseBias(%v)", s.useBias)
	add(s.size != d.size, "KernelSize%s", callText(s.size[:]))
	add(s.conv.Strides != d.conv.Strides, "Strides%s", pairText(s.conv.Strides))
	add(s.conv.Dilation != d.conv.Dilation, "DilationRate%s", pairText(s.conv.Dilation))
	value(s.conv.Padding != d.conv.Padding, "%s", s.conv.Padding)
	add(s.conv.Groups != d.conv.Groups, "Groups(%d)", s.conv.Groups)
	add(s.sequences != d.sequences, "ReturnSequences()")
	add(s.backwards != d.backwards, "GoBackwards()")
	add(s.causal != d.causal, "Causal()")
	add(s.rate != d.rate, "AttentionDropout(%v)", s.rate)
	add(s.epsilon != d.epsilon, "NormEpsilon(%v)", s.epsilon)
	add(s.momentum != d.momentum, "MovingMomentum(%v)", s.momentum)
	add(s.maskZero != d.maskZero, "MaskZero()")
	add(s.frozen != d.frozen, "Trainable(%v)", !s.frozen)
	add(s.activity != d.activity, "ActivityRegularizer(%v)", s.activity)
	for _, r := range []struct {
		name string
		weightRules
	}{{"Kernel", s.kernelRules}, {"Recurrent", s.recurrentRules}, {"Bias", s.biasRules}} {
		value(r.initializer != nil, r.name+"Initializer(%s)", r.initializer)
		add(!r.regularizer.none(), "%sRegularizer(%v)", r.name, r.regularizer)
		add(r.constraint != nil, "%sConstraint(%v)", r.name, r.constraint)
	}
	add(s.name != d.name, "Name(%q)", s.name)
	return options, err
}

// pairText writes the arguments of [pair]; of a sequence's only the second counts.
func pairText(p [2]int) string {
	if p[0] == 0 || p[0] == p[1] {
		return callText(p[1:])
	}
	return callText(p[:])
}

// learningRateOf is LearningRate, which a file cannot name with its type.
func learningRateOf(rate any) (RateOption, error) {
	switch rate := rate.(type) {
	case int:
		return LearningRate(rate), nil
	case float64:
		return LearningRate(rate), nil
	case Schedule:
		return LearningRate(rate), nil
	}
	return RateOption{}, fmt.Errorf("LearningRate is given a %T", rate)
}

// warmupOf is Warmup, likewise.
func warmupOf(steps int, rate any) (Schedule, error) {
	then, err := learningRateOf(rate)
	return Warmup(steps, then.rate), err
}

// evaluate makes what a text of sourceOf says. It must be a T.
func evaluate[T any](text string) (T, error) {
	var none T
	e := evaluation{}
	e.scan.Init(strings.NewReader(text))
	e.scan.Mode = scanner.ScanIdents | scanner.ScanInts | scanner.ScanFloats | scanner.ScanStrings
	e.scan.Error = func(_ *scanner.Scanner, message string) {
		if e.err == nil {
			e.err = errors.New(message)
		}
	}
	e.next()
	v, err := e.value(0)
	switch {
	case e.err != nil:
		err = e.err
	case err == nil && e.token != scanner.EOF:
		err = fmt.Errorf("%q is behind its end", e.scan.TokenText())
	}
	if err != nil {
		return none, fmt.Errorf("at character %d: %w", e.scan.Offset+1, err)
	}
	made, ok := v.(T)
	if !ok {
		return none, fmt.Errorf("%s makes a %T", firstWord(text), v)
	}
	return made, nil
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, "(")
	return several([]string{word})
}

type evaluation struct {
	scan  scanner.Scanner
	token rune
	err   error
}

func (e *evaluation) next() { e.token = e.scan.Scan() }

// mostDeep is how deep calls may lie in each other.
const mostDeep = 50

// value reads a number, a text, a name or a call.
func (e *evaluation) value(depth int) (v any, err error) {
	text := e.scan.TokenText()
	token := e.token
	e.next()
	switch {
	case depth > mostDeep:
		return nil, errors.New("calls lie too deep in each other")
	case token == '-':
		text += e.scan.TokenText()
		token = e.token
		e.next()
		if token != scanner.Int && token != scanner.Float {
			return nil, fmt.Errorf("%q is no number", text)
		}
		fallthrough
	case token == scanner.Int || token == scanner.Float:
		if n, err := strconv.Atoi(text); err == nil {
			return n, nil
		}
		return strconv.ParseFloat(text, 64)
	case token == scanner.String:
		return strconv.Unquote(text)
	case token == '[':
		return e.list()
	case token != scanner.Ident:
		return nil, fmt.Errorf("there is %q where a name or a number should be", text)
	case text == "true" || text == "false":
		return text == "true", nil
	}
	v, known := vocabulary[text]
	if !known {
		return nil, fmt.Errorf("there is no %s in this version of nnkit", text)
	}
	f := reflect.ValueOf(v)
	if e.token != '(' {
		if f.Kind() == reflect.Func {
			return nil, fmt.Errorf("%s wants arguments", text)
		}
		return v, nil
	}
	if f.Kind() != reflect.Func {
		return nil, fmt.Errorf("%s takes no arguments", text)
	}
	e.next()
	var args []any
	for e.token != ')' {
		arg, err := e.value(depth + 1)
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		if e.token == ',' {
			e.next()
		} else if e.token != ')' {
			return nil, fmt.Errorf("there is %q in the arguments of %s", e.scan.TokenText(), text)
		}
	}
	e.next()
	return callWord(text, f, args)
}

// list reads numbers behind the first bracket of []int{1, 2} or []float64{0.5, 1}.
func (e *evaluation) list() (any, error) {
	var ints []int
	var floats []float64
	words := make([]string, 3)
	for i := range words {
		words[i] = e.scan.TokenText()
		e.next()
	}
	open := strings.Join(words, "")
	if open != "]int{" && open != "]float64{" {
		return nil, fmt.Errorf("there is \"[%s\" where a list of numbers should be", open)
	}
	for e.token != '}' {
		v, err := e.value(mostDeep) // in which no call can be
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case int:
			ints, floats = append(ints, v), append(floats, float64(v))
		case float64:
			ints, floats = append(ints, int(v)), append(floats, v)
		default:
			return nil, fmt.Errorf("there is a %T in a list of numbers", v)
		}
		if e.token == ',' {
			e.next()
		} else if e.token != '}' {
			return nil, fmt.Errorf("there is %q in a list of numbers", e.scan.TokenText())
		}
	}
	e.next()
	if open == "]int{" {
		return ints, nil
	}
	return floats, nil
}

// callWord calls a function of the vocabulary.
func callWord(name string, f reflect.Value, args []any) (any, error) {
	t := f.Type()
	fixed := t.NumIn()
	if t.IsVariadic() {
		fixed--
	}
	if len(args) < fixed || len(args) > fixed && !t.IsVariadic() {
		return nil, fmt.Errorf("%s has %d arguments and wants %d", name, len(args), fixed)
	}
	in := make([]reflect.Value, len(args))
	for i, arg := range args {
		var want reflect.Type
		if i < fixed {
			want = t.In(i)
		} else {
			want = t.In(fixed).Elem()
		}
		v := reflect.ValueOf(arg)
		if n, ok := arg.(int); ok && want.Kind() == reflect.Float64 {
			v = reflect.ValueOf(float64(n))
		}
		if !v.Type().AssignableTo(want) {
			return nil, fmt.Errorf("argument %d of %s is a %v and must be a %v", i+1, name, v.Type(), want)
		}
		in[i] = v
	}
	out := f.Call(in)
	if len(out) == 2 && !out[1].IsNil() {
		return nil, out[1].Interface().(error)
	}
	return out[0].Interface(), nil
}
