package data

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/seed5607215b/nnkit/nnkit"
)

// Words cuts a text into its words in small letters; punctuation is left out, apostrophes within a word stay.
func Words(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\'' && r != '’'
	})
	for i, w := range words {
		words[i] = strings.Trim(w, "'’")
	}
	return slices.DeleteFunc(words, func(w string) bool { return w == "" })
}

// Characters cuts a text into its characters, each code point for itself.
func Characters(text string) []string { return strings.Split(text, "") }

// NGrams returns each n neighbours as one token, joined by a blank: ("a", "b", "c") gives "a b" and "b c". Fewer than n
// tokens give none. It panics for n below 1.
func NGrams(tokens []string, n int) []string {
	if n < 1 {
		panic(fmt.Sprintf("data.NGrams: n is %d, and must be at least 1", n))
	}
	var grams []string
	for i := range len(tokens) - n + 1 {
		grams = append(grams, strings.Join(tokens[i:i+n], " "))
	}
	return grams
}

// The first two numbers of a [Vocabulary], as in Keras' TextVectorization.
const (
	Padding = 0 // follows a text that is shorter than others
	Unknown = 1 // is any token that is not in the vocabulary
)

// Vocabulary numbers tokens, those that occur most often first.
type Vocabulary struct {
	Tokens   []string                   // by their numbers; those of Padding and Unknown are "" and "[UNK]"
	Tokenize func(text string) []string // Words, Characters or a function of one's own
	number   map[string]int
}

// LearnVocabulary numbers the tokens of texts, at most size of them with [Padding] and [Unknown]; 0 is for all. Of
// tokens that occur equally often the first in the alphabet comes first. Tokenize is [Words] if it is nil.
//
//	words, err := data.LearnVocabulary(trainTexts, data.Words, 10_000)
//	x, err := words.Sequences(trainTexts, 100)
func LearnVocabulary(texts []string, tokenize func(string) []string, size int) (*Vocabulary, error) {
	if size != 0 && size < 3 {
		return nil, fmt.Errorf("LearnVocabulary: a size of %d leaves no place for a token: padding and unknown ones take two; 0 is for all", size)
	}
	if tokenize == nil {
		tokenize = Words
	}
	counts := map[string]int{}
	for _, text := range texts {
		for _, token := range tokenize(text) {
			counts[token]++
		}
	}
	if len(counts) == 0 {
		return nil, fmt.Errorf("LearnVocabulary: there are no tokens in the %d texts", len(texts))
	}
	tokens := make([]string, 0, len(counts))
	for token := range counts {
		tokens = append(tokens, token)
	}
	slices.SortFunc(tokens, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	if size != 0 {
		tokens = tokens[:min(len(tokens), size-2)]
	}
	v := &Vocabulary{Tokens: append([]string{"", "[UNK]"}, tokens...), Tokenize: tokenize, number: map[string]int{}}
	for i, token := range tokens {
		v.number[token] = i + 2
	}
	return v, nil
}

// Len returns the number of tokens, Padding and Unknown with them: what an embedding wants to know.
func (v *Vocabulary) Len() int { return len(v.Tokens) }

// Number returns a token's number, Unknown for one that has none.
func (v *Vocabulary) Number(token string) int {
	if n, ok := v.number[token]; ok {
		return n
	}
	return Unknown
}

// Encode returns the numbers of a text's tokens.
func (v *Vocabulary) Encode(text string) []int {
	tokens := v.Tokenize(text)
	numbers := make([]int, len(tokens))
	for i, token := range tokens {
		numbers[i] = v.Number(token)
	}
	return numbers
}

// Decode returns the tokens of numbers, without padding. A number that is not in the vocabulary is an error.
func (v *Vocabulary) Decode(numbers []int) ([]string, error) {
	tokens := make([]string, 0, len(numbers))
	for i, n := range numbers {
		if n < 0 || n >= len(v.Tokens) {
			return nil, fmt.Errorf("Decode: number %d (counted from 0) is %d, and the vocabulary has 0 to %d", i, n, len(v.Tokens)-1)
		}
		if n != Padding {
			tokens = append(tokens, v.Tokens[n])
		}
	}
	return tokens, nil
}

// Sequences makes a row of length numbers of each text: longer ones are cut, shorter ones followed by [Padding]. With
// length 0 the rows are as long as the longest text.
func (v *Vocabulary) Sequences(texts []string, length int) (*nnkit.Tensor, error) {
	if len(texts) == 0 || length < 0 {
		return nil, fmt.Errorf("Sequences: %d texts in rows of %d: there must be at least one text, and 0 or more numbers a row", len(texts), length)
	}
	all := make([][]int, len(texts))
	longest := 1
	for i, text := range texts {
		all[i] = v.Encode(text)
		longest = max(longest, len(all[i]))
	}
	if length == 0 {
		length = longest
	}
	x := make([]float32, len(texts)*length)
	for i, numbers := range all {
		for j, n := range numbers[:min(len(numbers), length)] {
			x[i*length+j] = float32(n)
		}
	}
	return nnkit.NewTensor(x, len(texts), length)
}

// Counts makes a row of each text that says how often each token of the vocabulary occurs in it: a bag of words, whose
// order is forgotten.
func (v *Vocabulary) Counts(texts []string) (*nnkit.Tensor, error) {
	if len(texts) == 0 {
		return nil, fmt.Errorf("Counts: there are no texts")
	}
	x := make([]float32, len(texts)*v.Len())
	for i, text := range texts {
		for _, n := range v.Encode(text) {
			x[i*v.Len()+n]++
		}
	}
	return nnkit.NewTensor(x, len(texts), v.Len())
}

// String says how many tokens there are, and which occur most often.
func (v *Vocabulary) String() string {
	if v == nil {
		return "<nil>"
	}
	first := v.Tokens[min(2, len(v.Tokens)):min(12, len(v.Tokens))]
	return fmt.Sprintf("Vocabulary of %d tokens: %q …", v.Len(), first)
}
