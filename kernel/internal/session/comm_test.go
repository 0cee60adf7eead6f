package session

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/seed5607215b/nnkit/kernel/internal/message"
)

// browser is a recorder that shows what a page would: it runs the script that connects
// gonb_comm, and answers messages as its script does.
type browser struct {
	recorder
	session *Session
	dead    bool // as when the page is closed
	loads   int
	mu      sync.Mutex
	answers map[string]func(value any) (address string, answer any)
	heard   func(message.Comm)
}

func (b *browser) Display(d message.DisplayData) {
	html, _ := d.Data["text/html"].(string)
	if !strings.HasPrefix(html, "<script>// gonb_comm:") {
		b.recorder.Display(d)
		return
	}
	if !strings.Contains(html, `const kernel = "the kernel"`) {
		b.write("wrong script", html)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.loads++
	if !b.dead {
		id := fmt.Sprintf("page %d", b.loads)
		go b.session.Comm(message.Comm{Type: message.CommOpen, ID: id, TargetName: "gonb_comm"}, b)
	}
}

func (b *browser) Update(d message.DisplayData) {
	if !strings.HasPrefix(d.Transient.DisplayID, "gonb_comm_") {
		b.recorder.Update(d)
	} else if d.Data["text/html"] != "" {
		b.write("the script stays", fmt.Sprint(d))
	}
}

func (b *browser) Comm(m message.Comm) {
	b.mu.Lock()
	dead, answer := b.dead, b.answers[fmt.Sprint(m.Data["address"])]
	b.mu.Unlock()
	if b.heard != nil {
		b.heard(m)
	}
	if dead || m.Type != message.CommMsg {
		return
	}
	send := func(address string, value any) {
		b.session.Comm(message.Comm{Type: message.CommMsg, ID: m.ID, Data: map[string]any{"address": address, "value": value}}, b)
	}
	switch {
	case m.Data["address"] == addressPing:
		go send(addressPong, true)
	case answer != nil:
		go send(answer(m.Data["value"]))
	}
}

func (b *browser) execute(t *testing.T, count int, code string) string {
	t.Helper()
	reply := b.session.Execute(t.Context(), count, &message.ExecuteRequest{Code: code}, b)
	text := b.take()
	if reply.Status == "error" {
		text += "error " + reply.ErrorName + ": " + reply.ErrorValue + "\n"
	}
	return text
}

func newBrowser(t *testing.T, config Config) *browser {
	b := &browser{session: newSessionWith(t, config)}
	b.answers = map[string]func(any) (string, any){
		"/plus": func(v any) (string, any) {
			n, _ := v.(int)
			return "/go", float64(n + 1)
		},
		"/echo": func(v any) (string, any) { return "/text", v },
		"/list": func(any) (string, any) { return "/numbers", []any{1.5, 2.0} },
		"/map":  func(any) (string, any) { return "/words", map[string]any{"a": "b"} },
	}
	return b
}

const listen = "import \"github.com/janpfeifer/gonb/gonbui/comms\"\n"

// TestComms sends values to a page and gets values from it, in both ways that cells
// run.
func TestComms(t *testing.T) {
	for _, alone := range []bool{false, true} {
		t.Run(fmt.Sprintf("alone %v", alone), func(t *testing.T) {
			b := newBrowser(t, Config{Alone: alone, KernelID: "the kernel"})
			for i, tt := range []struct{ code, want string }{
				{"in := comms.Listen[int](\"/go\")\nfor i := range 3 {\n\tcomms.Send(\"/plus\", 10*i)\n\tfmt.Println(<-in.C)\n}", "stdout: 1\n11\n21\n"},
				{"in := comms.Listen[string](\"/text\")\ncomms.Send(\"/echo\", \"grüße\")\nfmt.Println(<-in.C)\nin.Close()", "stdout: grüße\n"},
				{"in := comms.Listen[[]float64](\"/numbers\")\ncomms.Send(\"/list\", 1)\nfmt.Println(<-in.C)\nin.Close()", "stdout: [1.5 2]\n"},
				{"in := comms.Listen[map[string]string](\"/words\")\ncomms.Send(\"/map\", 1)\nfmt.Println(<-in.C)", "stdout: map[a:b]\n"},
				{"fmt.Println(\"before\")\ncomms.Start()\nfmt.Println(\"after\")", "stdout: before\nafter\n"},
			} {
				if got := b.execute(t, i+1, listen+tt.code); got != tt.want {
					t.Errorf("%s\nshows\n%swant\n%s", tt.code, got, tt.want)
				}
			}
			if b.loads != 1 {
				t.Errorf("the script was loaded %d times", b.loads)
			}
		})
	}
}

// TestCommsGoOn has a goroutine listen while other cells run.
func TestCommsGoOn(t *testing.T) {
	b := newBrowser(t, Config{KernelID: "the kernel"})
	b.execute(t, 1, listen+"heard := make(chan int)\ncomms.Subscribe(\"/go\", func(_ string, v int) { heard <- v })")
	press := func(v float64) {
		b.session.Comm(message.Comm{Type: message.CommMsg, ID: "page 1", Data: map[string]any{"address": "/go", "value": v}}, b)
	}
	press(7)
	if got, want := b.execute(t, 2, "<-heard"), "result: text/plain 7\n"; got != want {
		t.Errorf("the second cell shows %q, want %q", got, want)
	}
	// GoNB's package keeps its mutex when a value comes that nobody wants any more.
	worker := b.session.runner.(*live).current()
	worker.pump.encoder.send(protocol.CommValue{Address: "/nobody", Value: 1})
	press(8)
	if got, want := b.execute(t, 3, "<-heard"), "result: text/plain 8\n"; got != want {
		t.Errorf("the third cell shows %q, want %q", got, want)
	}
	// A page that is loaded again has no gonb_comm any more.
	b.mu.Lock()
	b.dead = true
	b.mu.Unlock()
	b.session.front.mu.Lock()
	b.session.front.page.heard = b.session.front.page.heard.Add(-2 * pageFresh)
	b.session.front.mu.Unlock()
	again := make(chan string)
	go func() { again <- b.execute(t, 4, "comms.Send(\"/plus\", 41)\n<-heard") }()
	for {
		b.mu.Lock()
		loads := b.loads
		if loads == 2 {
			b.dead = false
		}
		b.mu.Unlock()
		if loads == 2 {
			break
		}
	}
	b.session.Comm(message.Comm{Type: message.CommOpen, ID: "page 2", TargetName: "gonb_comm"}, b)
	if got, want := <-again, "result: text/plain 42\n"; got != want {
		t.Errorf("after the page was loaded again: %q, want %q", got, want)
	}
}

// TestScriptOnRequest gives the script to a page that asks for it by a comm, which is closed with that.
func TestScriptOnRequest(t *testing.T) {
	for kernel, want := range map[string]string{"the kernel": `const kernel = "the kernel"`, "": ""} {
		b := newBrowser(t, Config{KernelID: kernel})
		script := ""
		b.heard = func(m message.Comm) {
			if m.ID == "q" {
				script, _ = m.Data["script"].(string)
			}
		}
		if b.session.Comm(message.Comm{Type: message.CommOpen, ID: "q", TargetName: "gonb_comm_script"}, b) {
			t.Error("the comm stays open")
		}
		if !strings.Contains(script, want) || (script == "") != (want == "") {
			t.Errorf("of kernel %q the script is %.200q", kernel, script)
		}
	}
}

// TestNoPage sends to a page that is not there.
func TestNoPage(t *testing.T) {
	b := newBrowser(t, Config{})
	for i, tt := range []struct{ code, want string }{
		{listen + "comms.Send(\"/plus\", 1)\ncomms.Send(\"/plus\", 2)\nfmt.Println(\"goes on\")", "stderr: gonbui's comms and widgets are left out: they need a page that runs JavaScript, as JupyterLab does, and the kernel was not started by a Jupyter server\nstdout: goes on\n"},
		{"%widgets", "stderr: gonbui's comms and widgets are left out: they need a page that runs JavaScript, as JupyterLab does, and the kernel was not started by a Jupyter server\n"},
		{"fmt.Println(1)", "stdout: 1\n"},
	} {
		if got := b.execute(t, i+1, tt.code); got != tt.want {
			t.Errorf("%s\nshows\n%swant\n%s", tt.code, got, tt.want)
		}
	}
}

func TestGobValue(t *testing.T) {
	for _, tt := range []struct{ value, want any }{
		{1.0, 1.0},
		{"a", "a"},
		{true, true},
		{nil, nil},
		{[]any{1.0, 2.0}, []float64{1, 2}},
		{[]any{"a"}, []string{"a"}},
		{[]any{}, []float64{}},
		{[]any{1.0, "a"}, nil},
		{map[string]any{"a": 1.0}, map[string]float64{"a": 1}},
		{map[string]any{"a": "b"}, map[string]string{"a": "b"}},
		{map[string]any{"a": []any{}}, nil},
	} {
		if got := gobValue(tt.value); fmt.Sprintf("%T %v", got, got) != fmt.Sprintf("%T %v", tt.want, tt.want) {
			t.Errorf("gobValue(%v) is %T %v, want %T %v", tt.value, got, got, tt.want, tt.want)
		}
	}
}

// TestProgramComms has a program's widget hear what a front end says, in a later cell,
// and ends with the program.
func TestProgramComms(t *testing.T) {
	b := newBrowser(t, Config{})
	var said []message.Comm
	b.heard = func(m message.Comm) { said = append(said, m) }
	got := b.execute(t, 1, "import \"github.com/seed5607215b/nnkit/display/widgets\"\nrate := widgets.Slider(\"rate\", 0, 10, 5)\nmoved := make(chan int)\nrate.OnChange(func(v int) { moved <- v })\nrate.Display()")
	if !strings.Contains(got, "text/plain rate: 5 (a slider from 0 to 10)") || !strings.Contains(got, "application/vnd.jupyter.widget-view+json") {
		t.Errorf("the slider is shown as %s", got)
	}
	if len(said) != 3 {
		t.Fatalf("%d comms were opened, want a layout's, a style's and the slider's", len(said))
	}
	slider := said[2]
	state, _ := slider.Data["state"].(map[string]any)
	if slider.Type != message.CommOpen || slider.TargetName != "jupyter.widget" || slider.Metadata["version"] != "2.1.0" || state["_model_name"] != "IntSliderModel" ||
		state["layout"] != "IPY_MODEL_"+said[0].ID || state["style"] != "IPY_MODEL_"+said[1].ID {
		t.Errorf("the slider is opened by %+v", slider)
	}
	say := func(data map[string]any) bool {
		return b.session.Comm(message.Comm{Type: message.CommMsg, ID: slider.ID, Data: data}, b)
	}
	for _, v := range []float64{6, 7, 8} {
		say(map[string]any{"method": "update", "state": map[string]any{"value": v}})
	}
	if got, want := b.execute(t, 2, "fmt.Println(<-moved, <-moved, <-moved, rate.Value())"), "stdout: 6 7 8 8\n"; got != want {
		t.Errorf("the slider tells %q, want %q", got, want)
	}
	said = nil
	say(map[string]any{"method": "request_state"})
	b.execute(t, 3, "rate.SetValue(2)")
	if len(said) != 2 || said[0].Data["method"] != "update" || fmt.Sprint(said[1].Data["state"]) != "map[value:2]" {
		t.Errorf("asked for its state and set, it says %v", said)
	}
	if b.session.Comm(message.Comm{Type: message.CommOpen, ID: "m", TargetName: widgetControl}, b) {
		t.Error("the widget manager's comm was taken, and nothing would answer")
	}
	if !b.session.front.hasWidgets() {
		t.Error("a front end with widgets is not known")
	}
	said = nil
	b.execute(t, 4, "os.Exit(1)")
	b.execute(t, 5, "1")
	if len(said) != 3 || said[0].Type != message.CommClose || !said[0].Quiet {
		t.Errorf("when the program has ended %v is said, want its comms closed quietly", said)
	}
	if say(nil) {
		t.Error("a message to a program that has ended was taken")
	}
}
