package running

import (
	"flag"
	"fmt"
	"os"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// Configure changes what the program finds around it, and answers the request.
func Configure(r wire.Request) wire.Event {
	e := wire.Event{Kind: wire.Configured, ID: r.ID}
	if err := configure(*r.Settings); err != nil {
		e.Err = err.Error()
	}
	return e
}

func configure(s wire.Settings) error {
	if s.Dir != "" {
		if err := os.Chdir(s.Dir); err != nil {
			return err
		}
	}
	for name, value := range s.Env {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	if s.Args == nil {
		return nil
	}
	os.Args = append([]string{os.Args[0]}, s.Args...)
	KeepFlags(func(f *flag.Flag) bool {
		if f.Value.String() != f.DefValue { // as in a program that has just begun
			_ = f.Value.Set(f.DefValue) // which it had
		}
		return true
	})
	if !s.Flags {
		return nil
	}
	flag.CommandLine.Init(os.Args[0], flag.ContinueOnError)
	defer flag.CommandLine.Init(os.Args[0], flag.PanicOnError)
	return flag.CommandLine.Parse(s.Args)
}
