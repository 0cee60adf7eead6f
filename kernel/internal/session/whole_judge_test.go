//go:build judge

package session

func init() { wholeCases = append(wholeCases, "language") }
