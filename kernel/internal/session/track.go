package session

import "path/filepath"

func (c *call) track() error {
	switch len(c.args) {
	case 0:
		_, dirs, err := c.module.found()
		if err != nil {
			return err
		}
		for _, dir := range append(dirs, c.module.tracked...) {
			c.print("%s", dir)
		}
		return nil
	case 1:
		dir := c.settings.path(c.args[0])
		if filepath.Base(dir) == "go.mod" {
			dir = filepath.Dir(dir)
		}
		return c.changeModules(func() (string, error) { return "", c.module.track(dir) })
	}
	return errUsage
}

func (c *call) untrack() error {
	if len(c.args) != 1 {
		return errUsage
	}
	return c.changeModules(func() (string, error) { return "", c.module.untrack(c.settings.path(c.args[0])) })
}
