package session

import (
	"encoding/binary"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// parseExpr parses an expression that a debugger's client asks about. It reads
// variables and calls nothing.
func parseExpr(text string) (*wire.Expr, error) {
	x, err := parser.ParseExpr(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no Go expression: %w", text, err)
	}
	return wireExpr(x)
}

func wireExpr(x ast.Expr) (*wire.Expr, error) {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return wireExpr(x.X)
	case *ast.Ident:
		return &wire.Expr{Op: "name", Text: x.Name}, nil
	case *ast.BasicLit:
		if op, ok := map[token.Token]string{token.INT: "int", token.FLOAT: "float", token.CHAR: "char", token.STRING: "string"}[x.Kind]; ok {
			return &wire.Expr{Op: op, Text: x.Value}, nil
		}
	case *ast.SelectorExpr:
		return operation("field", x.Sel.Name, x.X, nil)
	case *ast.IndexExpr:
		return operation("index", "", x.X, x.Index)
	case *ast.StarExpr:
		return operation("*", "", x.X, nil)
	case *ast.UnaryExpr:
		if x.Op == token.SUB || x.Op == token.ADD || x.Op == token.NOT {
			return operation(x.Op.String(), "", x.X, nil)
		}
	case *ast.BinaryExpr:
		return operation(x.Op.String(), "", x.X, x.Y)
	case *ast.CallExpr:
		if f, ok := x.Fun.(*ast.Ident); ok && f.Name == "len" && len(x.Args) == 1 {
			return operation("len", "", x.Args[0], nil)
		}
		return nil, fmt.Errorf("the debugger reads variables, their fields and elements, and calls nothing but len")
	}
	return nil, fmt.Errorf("the debugger reads variables, their fields and elements, compares and computes: %T is more", x)
}

// operation is one of an operand, or of two.
func operation(op, text string, x, y ast.Expr) (*wire.Expr, error) {
	e := &wire.Expr{Op: op, Text: text}
	var err error
	if e.X, err = wireExpr(x); err != nil || y == nil {
		return e, err
	}
	e.Y, err = wireExpr(y)
	return e, err
}

// murmur2 is the hash by which clients name the file of a cell's text: 32-bit
// MurmurHash2 of its UTF-8 (A. Appleby, https://github.com/aappleby/smhasher).
func murmur2(text string, seed uint32) uint32 {
	const m, r = 0x5bd1e995, 24
	data := []byte(text)
	h := seed ^ uint32(len(data))
	for ; len(data) >= 4; data = data[4:] {
		k := binary.LittleEndian.Uint32(data) * m
		k = (k ^ k>>r) * m
		h = h*m ^ k
	}
	switch len(data) {
	case 3:
		h ^= uint32(data[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(data[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(data[0])) * m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}
