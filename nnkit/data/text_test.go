package data

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func ExampleLearnVocabulary() {
	texts := []string{"The cat sat on the mat.", "The dog sat, too!"}
	words, err := LearnVocabulary(texts, Words, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(words)
	fmt.Println(words.Encode("the cat and the dog"))
	x, err := words.Sequences(texts, 0)
	fmt.Println(x, err)
	// Output:
	// Vocabulary of 9 tokens: ["the" "sat" "cat" "dog" "mat" "on" "too"] …
	// [2 4 1 2 5]
	// Tensor (2, 6)
	//   2  4  3  7  2  6
	//   2  5  3  8  0  0 <nil>
}

func TestTokens(t *testing.T) {
	for _, test := range []struct {
		got, want []string
	}{
		{Words("Don't stop -- 'now'! Ärger, naïve 42"), []string{"don't", "stop", "now", "ärger", "naïve", "42"}},
		{Words(" ... "), []string{}},
		{Characters("añ界"), []string{"a", "ñ", "界"}},
		{NGrams([]string{"a", "b", "c"}, 2), []string{"a b", "b c"}},
		{NGrams([]string{"a"}, 2), nil},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

func TestVocabulary(t *testing.T) {
	texts := []string{"b a a", "c a b"}
	v := must(LearnVocabulary(texts, nil, 4))(t)
	if !reflect.DeepEqual(v.Tokens, []string{"", "[UNK]", "a", "b"}) || v.Len() != 4 || v.Number("c") != Unknown {
		t.Errorf("%v", v.Tokens)
	}
	if x := must(v.Sequences(texts, 2))(t); !slices.Equal(x.Data(), []float32{3, 2, 1, 2}) {
		t.Errorf("%v", x)
	}
	if x := must(v.Counts(texts))(t); !slices.Equal(x.Data(), []float32{0, 0, 2, 1, 0, 1, 1, 1}) {
		t.Errorf("%v", x)
	}
	if back := must(v.Decode([]int{3, 2, 1, 0}))(t); !slices.Equal(back, []string{"b", "a", "[UNK]"}) {
		t.Errorf("%v", back)
	}
	letters := must(LearnVocabulary([]string{"hello"}, Characters, 0))(t)
	if back := must(letters.Decode(letters.Encode("hole")))(t); strings.Join(back, "") != "hole" {
		t.Errorf("%v", back)
	}
	checkFailures(t, []failure{
		{second(LearnVocabulary(nil, nil, 0)), "there are no tokens in the 0 texts"},
		{second(LearnVocabulary(texts, nil, 2)), "a size of 2 leaves no place for a token"},
		{second(v.Sequences(nil, 2)), "there must be at least one text"},
		{second(v.Sequences(texts, -1)), "0 or more numbers a row"},
		{second(v.Counts(nil)), "there are no texts"},
		{second(v.Decode([]int{2, 4})), "number 1 (counted from 0) is 4, and the vocabulary has 0 to 3"},
	})
}
