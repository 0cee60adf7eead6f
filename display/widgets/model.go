package widgets

import (
	"fmt"
	"maps"
	"sync"

	"github.com/seed5607215b/nnkit/display/jupyter"
)

// Versions of the protocol and of the modules with the models and views.
const (
	protocolVersion = "2.1.0"
	baseVersion     = "2.0.0"
	controlsVersion = "2.0.0"
	outputVersion   = "1.0.0"
	controls        = "@jupyter-widgets/controls"
)

// model is a widget's state, of which the front end has a copy.
type model struct {
	comm *jupyter.Comm

	mu      sync.Mutex
	state   map[string]any
	changed func(key string, value any) // the front end has changed a part of the state
	event   func(content map[string]any)
}

// newModel makes a model that front ends know from now on.
func newModel(module, version, name, view string, state map[string]any) (*model, error) {
	m := &model{state: map[string]any{
		"_model_module": module, "_model_module_version": version, "_model_name": name,
		"_view_module": module, "_view_module_version": version, "_view_name": view,
	}}
	if view == "" {
		m.state["_view_name"] = nil
	}
	maps.Copy(m.state, state)
	var err error
	m.comm, err = jupyter.Open("jupyter.widget", m.message(nil, m.state), m.take)
	return m, err
}

// newControl makes a model of ipywidgets' controls, with its layout and, where style
// is one, its style.
func newControl(name, view, style string, state map[string]any) (*model, error) {
	layout, err := newModel("@jupyter-widgets/base", baseVersion, "LayoutModel", "LayoutView", nil)
	if err != nil {
		return nil, err
	}
	state["layout"] = layout.reference()
	if style != "" {
		s, err := newModel(controls, controlsVersion, style, "StyleView", map[string]any{"_view_module": "@jupyter-widgets/base", "_view_module_version": baseVersion})
		if err != nil {
			return nil, err
		}
		state["style"] = s.reference()
	}
	return newModel(controls, controlsVersion, name, view, state)
}

// reference is how a state mentions the model.
func (m *model) reference() string { return "IPY_MODEL_" + m.comm.ID() }

// message makes a message with a state, or with what has changed of it.
func (m *model) message(data, state map[string]any) jupyter.Message {
	all := map[string]any{"state": state, "buffer_paths": []any{}}
	maps.Copy(all, data)
	return jupyter.Message{Data: all, Metadata: map[string]any{"version": protocolVersion}}
}

// set changes a part of the state, here and in the front end.
func (m *model) set(key string, value any) error {
	m.mu.Lock()
	m.state[key] = value
	m.mu.Unlock()
	return m.comm.Send(m.message(map[string]any{"method": "update"}, map[string]any{key: value}))
}

// get returns a part of the state.
func (m *model) get(key string) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state[key]
}

// take takes a message of the front end.
func (m *model) take(msg jupyter.Message) {
	switch msg.Data["method"] {
	case "update":
		state, _ := msg.Data["state"].(map[string]any)
		for key, value := range state {
			m.mu.Lock()
			_, known := m.state[key]
			if known {
				m.state[key] = value
			}
			changed := m.changed
			m.mu.Unlock()
			if known && changed != nil {
				changed(key, value)
			}
		}
	case "request_state":
		m.mu.Lock()
		answer := m.message(map[string]any{"method": "update"}, maps.Clone(m.state))
		m.mu.Unlock()
		_ = m.comm.Send(answer) // who has asked has gone, or asks again
	case "custom":
		content, _ := msg.Data["content"].(map[string]any)
		m.mu.Lock()
		event := m.event
		m.mu.Unlock()
		if event != nil && content != nil {
			event(content)
		}
	}
}

// bundle is the widget's view, and what is shown in its place where there is none.
func (m *model) bundle(plain string) map[string]any {
	return map[string]any{
		"application/vnd.jupyter.widget-view+json": map[string]any{"model_id": m.comm.ID(), "version_major": 2, "version_minor": 0},
		"text/plain": plain,
	}
}

// must ends the cell where a widget cannot be made.
func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("widgets: %v", err))
	}
	return v
}
