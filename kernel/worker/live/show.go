package live

import "fmt"

func bundle(values []any) (data, meta map[string]any) {
	return map[string]any{"text/plain": fmt.Sprint(values...)}, nil
}

func text(v any) string { return fmt.Sprint(v) }
