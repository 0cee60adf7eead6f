package program

// Where a cell asks whether it has been interrupted.
//
// A goroutine cannot be ended from outside, so every loop asks in each turn
// (live.Check), a function that calls itself when it is called, and goto before it
// jumps. To ask is two loads and a branch, which only a loop of a few
// instructions notices. Two things keep it cheap there. A loop asks at the end of
// a turn where it can: the compiler makes more of the loop's condition with the
// first statement right behind it. And a loop that ends soon by itself does not
// ask: its turns are short, and are few, or as many at most as some slice has
// elements. The loop around it asks.
//
// The directive //nnkit:nocheck in the first line of a cell, or in the line above
// a function or a loop, leaves the asking out there, and in all that is within.

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"github.com/seed5607215b/nnkit/kernel/internal/cell"
)

const (
	noCheck = "//nnkit:nocheck"
	ask     = " " + live + ".Check(); "

	// fewTurns are made in no time if they are short.
	fewTurns = 1 << 12
)

// checks are the edits of a tree that make it end when its cell is interrupted.
func (p *printer) checks(c *cell.Cell, u *unit, root ast.Node) []edit {
	if c.Says(noCheck, 1) {
		return nil
	}
	var edits []edit
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if p.unchecked(c, n) {
				return false
			}
			if n.Body != nil && p.callsItself(u) {
				edits = append(edits, insert(c, n.Body.Lbrace+1, ask))
			}
		case *ast.BranchStmt:
			if n.Tok == token.GOTO {
				edits = append(edits, insert(c, n.Pos(), ask))
			}
		case *ast.ForStmt, *ast.RangeStmt:
			if p.unchecked(c, n) {
				return false
			}
			body := loopBody(n)
			switch text := p.asking(n); {
			case text == "":
			case reachesEnd(body):
				edits = append(edits, insert(c, body.Rbrace, ";"+text))
			default:
				edits = append(edits, insert(c, body.Lbrace+1, text))
			}
		}
		return true
	})
	return edits
}

func loopBody(loop ast.Node) *ast.BlockStmt {
	if s, ok := loop.(*ast.RangeStmt); ok {
		return s.Body
	}
	return loop.(*ast.ForStmt).Body
}

// unchecked tells whether the line above a function or a loop says that it is not
// to ask.
func (p *printer) unchecked(c *cell.Cell, n ast.Node) bool {
	line, _ := c.Position(c.Offset(n.Pos()))
	return c.Says(noCheck, line-1)
}

// callsItself tells whether a function of a cell calls itself, or one by its name
// through an interface, or leads back to itself through others.
func (p *printer) callsItself(u *unit) bool {
	seen := map[*unit]bool{}
	todo := []*unit{u}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		back := false
		ast.Inspect(at.decl.Node.(*ast.FuncDecl).Body, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return !back
			}
			if f, ok := p.object(id).(*types.Func); ok {
				to := p.unitOf(f)
				back = back || to == u || at == u && f.Name() == u.decl.Node.(*ast.FuncDecl).Name.Name
				if to != nil && !seen[to] {
					seen[to] = true
					todo = append(todo, to)
				}
			}
			return !back
		})
		if back {
			return true
		}
	}
	return false
}

// unitOf is the declaration of a function or method of the notebook, or nil.
func (p *printer) unitOf(f *types.Func) *unit {
	if f.Pkg() == nil || !p.ours(f.Pkg()) {
		return nil
	}
	key := f.Name()
	if recv := f.Signature().Recv(); recv != nil {
		t := recv.Type()
		if ptr, ok := t.(*types.Pointer); ok {
			t = ptr.Elem()
		}
		named, ok := t.(*types.Named)
		if !ok {
			return nil
		}
		key = named.Obj().Name() + "." + key
	}
	if u := p.cand.units[key]; u != nil && (u.kind == funcUnit || u.kind == methodUnit) && u.decl.Node.(*ast.FuncDecl).Body != nil {
		return u
	}
	return nil
}

func hasLoop(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			found = true
		}
		return !found
	})
	return found
}

// short tells whether what stands in a tree without loops takes no time worth
// the name: it calls nothing that might, allocates nothing and waits for nobody.
func (p *printer) short(root ast.Node) bool {
	short := true
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.SendStmt, *ast.SelectStmt, *ast.GoStmt, *ast.DeferStmt:
			short = false
		case *ast.UnaryExpr:
			short = short && n.Op != token.ARROW
		case *ast.IndexExpr:
			_, isMap := under(p.typeOf(n.X)).(*types.Map)
			short = short && !isMap
		case *ast.BinaryExpr:
			t, ok := under(p.typeOf(n)).(*types.Basic)
			short = short && !(ok && n.Op == token.ADD && t.Info()&types.IsString != 0)
		case *ast.CallExpr:
			short = short && p.shortCall(n)
		}
		return short
	})
	return short
}

func (p *printer) shortCall(call *ast.CallExpr) bool {
	fun := ast.Unparen(call.Fun)
	if p.typeAndValue(fun).IsType() {
		return true // a conversion
	}
	if x, ok := fun.(*ast.IndexExpr); ok { // of a generic function
		fun = x.X
	}
	if sel, ok := fun.(*ast.SelectorExpr); ok {
		fun = sel.Sel
	}
	id, ok := fun.(*ast.Ident)
	if !ok {
		return false
	}
	switch f := p.object(id).(type) {
	case *types.Builtin:
		return slices.Contains([]string{"len", "cap", "min", "max", "real", "imag", "complex", "panic"}, f.Name())
	case *types.Func:
		return p.shortFunc(f)
	}
	return false
}

// shortFunc tells whether a function is of a package of arithmetic, or of a cell
// and has no loop and only short calls.
func (p *printer) shortFunc(f *types.Func) bool {
	if pkg := f.Pkg(); pkg != nil && slices.Contains([]string{"math", "math/bits", "math/cmplx", "sync/atomic"}, pkg.Path()) {
		return true
	}
	u := p.unitOf(f)
	if u == nil {
		return false
	}
	body := u.decl.Node.(*ast.FuncDecl).Body
	short, known := p.shorts[u]
	if !known {
		p.shorts[u] = false // while it is being looked at: it may call itself
		short = !hasLoop(body) && p.short(body)
		p.shorts[u] = short
	}
	return short
}

// reachesEnd tells whether each turn of a loop that does not leave it comes to the
// end of its body.
func reachesEnd(body *ast.BlockStmt) bool {
	reaches := true
	ast.Inspect(body, func(n ast.Node) bool {
		b, ok := n.(*ast.BranchStmt)
		reaches = reaches && !(ok && (b.Tok == token.CONTINUE || b.Tok == token.GOTO))
		return reaches
	})
	return reaches
}

// asking is how a loop asks: not at all if it ends soon by itself.
func (p *printer) asking(loop ast.Node) string {
	switch {
	case !p.short(loop):
		return ask
	case p.mostTurns(loop) <= fewTurns:
		return ""
	case hasLoop(loopBody(loop)):
		return ask
	}
	switch s := loop.(type) {
	case *ast.RangeStmt:
		switch t := under(p.typeOf(s.X)).(type) {
		case *types.Slice, *types.Array, *types.Pointer:
			return ""
		case *types.Basic:
			if t.Info()&types.IsString != 0 {
				return ""
			}
		}
	case *ast.ForStmt:
		return p.walk(s)
	}
	return ask
}

// walk is how a loop asks that may step through a slice: one where, in each turn,
// a variable is an index and goes on by the same amount. If that is a variable
// too, it may be zero.
func (p *printer) walk(s *ast.ForStmt) string {
	if !reachesEnd(s.Body) {
		return ask
	}
	always := append([]ast.Stmt{s.Post}, s.Body.List...)
	for _, step := range always {
		v, by := p.step(step)
		if v == nil || p.changesIn(s, v) != 1 {
			continue
		}
		indexes := s.Cond != nil && p.indexes(s.Cond, v)
		for _, stmt := range always {
			switch stmt.(type) {
			case *ast.AssignStmt, *ast.IncDecStmt, *ast.ExprStmt:
				indexes = indexes || p.indexes(stmt, v)
			}
		}
		if !indexes {
			continue
		}
		if by == nil {
			return ""
		}
		if w := p.local(by); w != nil && p.changesIn(s, w) == 0 && !p.declares(s.Body, by.Name) {
			return fmt.Sprintf(" if %s == 0 {%s}; ", by.Name, ask)
		}
	}
	return ask
}

// step is the variable that a statement changes by a constant, or by another
// variable.
func (p *printer) step(s ast.Stmt) (v types.Object, by *ast.Ident) {
	var x, amount ast.Expr
	switch s := s.(type) {
	case *ast.IncDecStmt:
		x = s.X
	case *ast.AssignStmt:
		if s.Tok == token.ADD_ASSIGN || s.Tok == token.SUB_ASSIGN {
			x, amount = s.Lhs[0], s.Rhs[0]
		}
	}
	id, ok := x.(*ast.Ident)
	if !ok {
		return nil, nil
	}
	// A narrower one would begin again before it leaves the slice.
	if t, ok := under(p.typeOf(id)).(*types.Basic); !ok || t.Info()&types.IsInteger == 0 || types.SizesFor("gc", "amd64").Sizeof(t) < 4 {
		return nil, nil
	}
	if amount != nil {
		if c := p.typeAndValue(amount).Value; c == nil {
			if by, ok = amount.(*ast.Ident); !ok {
				return nil, nil
			}
		} else if constant.Sign(c) == 0 {
			return nil, nil
		}
	}
	return p.object(id), by
}

// local is the variable of a function that a name stands for, or nil.
func (p *printer) local(id *ast.Ident) *types.Var {
	v, ok := p.object(id).(*types.Var)
	if !ok || p.sessionObject(v) || p.variableOf(v) != nil {
		return nil
	}
	return v
}

// declares tells whether a tree declares something by a name.
func (p *printer) declares(root ast.Node, name string) bool {
	found := false
	ast.Inspect(root, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && id.Name == name && p.definition(id) != nil
		return !found
	})
	return found
}

// indexes tells whether an expression that is always evaluated, but for what
// stands behind &&, has x[v], x[v+1] or the like for a slice, array or string x.
func (p *printer) indexes(root ast.Node, v types.Object) bool {
	found := false
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BinaryExpr:
			if n.Op == token.LOR || n.Op == token.LAND && root != ast.Node(n) {
				return false
			}
		case *ast.IndexExpr:
			i := ast.Unparen(n.Index)
			if b, ok := i.(*ast.BinaryExpr); ok && (b.Op == token.ADD || b.Op == token.SUB) && p.typeAndValue(b.Y).Value != nil {
				i = b.X
			}
			found = found || p.is(i, v) && !p.typeAndValue(n.X).IsType()
		}
		return !found
	})
	return found
}

// mostTurns is how many turns a loop and those in it make at most, or more than
// fewTurns if that is not written there.
func (p *printer) mostTurns(loop ast.Node) int64 {
	turns := int64(1)
	ast.Inspect(loop, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			turns = min(turns*max(1, p.ownTurns(n)), fewTurns+1)
		}
		return true
	})
	return turns
}

func (p *printer) ownTurns(loop ast.Node) int64 {
	const many = fewTurns + 1
	var n constant.Value
	switch s := loop.(type) {
	case *ast.RangeStmt:
		switch t := under(p.typeOf(s.X)).(type) {
		case *types.Array:
			return min(t.Len(), many)
		case *types.Pointer:
			if a, ok := under(t.Elem()).(*types.Array); ok {
				return min(a.Len(), many)
			}
		case *types.Basic:
			if t.Info()&types.IsInteger != 0 {
				n = p.typeAndValue(s.X).Value
			}
		}
	case *ast.ForStmt: // for i := a; i < b; i++, where nothing else changes i
		init, ok1 := s.Init.(*ast.AssignStmt)
		cond, ok2 := s.Cond.(*ast.BinaryExpr)
		post, ok3 := s.Post.(*ast.IncDecStmt)
		if !ok1 || !ok2 || !ok3 || init.Tok != token.DEFINE || len(init.Lhs) != 1 || post.Tok != token.INC {
			return many
		}
		i := p.definition(init.Lhs[0].(*ast.Ident))
		from, to := p.typeAndValue(init.Rhs[0]).Value, p.typeAndValue(cond.Y).Value
		if from == nil || to == nil || from.Kind() != constant.Int || to.Kind() != constant.Int || (cond.Op != token.LSS && cond.Op != token.LEQ) ||
			!p.is(cond.X, i) || !p.is(post.X, i) || p.changesIn(s.Body, i) > 0 {
			return many
		}
		n = constant.BinaryOp(to, token.SUB, from)
		if cond.Op == token.LEQ {
			n = constant.BinaryOp(n, token.ADD, constant.MakeInt64(1))
		}
	}
	if n == nil {
		return many
	}
	turns, exact := constant.Int64Val(constant.ToInt(n))
	if !exact {
		return many
	}
	return min(turns, many)
}

func (p *printer) is(x ast.Expr, obj types.Object) bool {
	id, ok := ast.Unparen(x).(*ast.Ident)
	return ok && obj != nil && p.object(id) == obj
}

// changesIn counts where a variable is assigned to, or its address is taken.
func (p *printer) changesIn(root ast.Node, v types.Object) int {
	changes := 0
	look := func(x ast.Expr) {
		if x != nil && p.is(x, v) {
			changes++
		}
	}
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, x := range n.Lhs {
				look(x)
			}
		case *ast.RangeStmt:
			look(n.Key)
			look(n.Value)
		case *ast.IncDecStmt:
			look(n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				look(n.X)
			}
		}
		return true
	})
	return changes
}

// under is a type's underlying type, or nil.
func under(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	return t.Underlying()
}

func insert(c *cell.Cell, pos token.Pos, text string) edit {
	at := c.Offset(pos)
	return edit{at, at, text}
}
