package program

import "testing"

func TestDidYouMean(t *testing.T) {
	names := []string{"Print", "Println", "total", "x", "y", "ToUpper", "configuration", "fmt"}
	for _, tt := range []struct{ wrong, want string }{
		{"Printn", "Println"},
		{"Prnit", "Print"},
		{"totl", "total"},
		{"toUpper", "ToUpper"},
		{"cofigurtion", "configuration"},
		{"z", ""},
		{"completely", ""},
		{"", ""},
	} {
		want := tt.want
		if want != "" {
			want = "did you mean " + want + "?"
		}
		if got := didYouMean(names, tt.wrong); got != want {
			t.Errorf("didYouMean(%q) = %q, want %q", tt.wrong, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"ab", "ba", 1}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"ä", "a", 1}} {
		if got := Distance(tt.a, tt.b); got != tt.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := Distance(tt.b, tt.a); got != tt.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}
