"""Every message of the installed nnkit kernel, field by field against Jupyter's messaging specification
(https://jupyter-client.readthedocs.io/en/stable/messaging.html), as Debian's jupyter-client receives it.

Run with JUPYTER_PATH naming the data directory that the kernel was installed into.
"""

import datetime
import unittest
from queue import Empty

from jupyter_client.manager import start_new_kernel
from jupyter_client.utils import run_sync

PATIENCE = 120  # seconds; a limit for what hangs, not a measure

BUNDLE = dict  # MIME types to data


class Maybe:
    """A field that may be missing."""

    def __init__(self, kind):
        self.kind = kind


REPLY_ERROR = {"status": "error", "ename": str, "evalue": str, "traceback": [str]}
EXECUTED = {"execution_count": int, "user_expressions": dict, "payload": [dict]}

# What the content of each message has: a type, a list of one type, one of several values, or fields again.
CONTENTS = {
    "execute_reply": [
        {"status": "ok", **EXECUTED},
        {**REPLY_ERROR, **EXECUTED},
        {"status": "aborted", "execution_count": int},
    ],
    "inspect_reply": [{"status": "ok", "found": bool, "data": BUNDLE, "metadata": dict}],
    "complete_reply": [
        {"status": "ok", "matches": [str], "cursor_start": int, "cursor_end": int, "metadata": dict}
    ],
    "history_reply": [{"status": "ok", "history": [list]}],
    "is_complete_reply": [
        {"status": "complete"},
        {"status": "incomplete", "indent": Maybe(str)},
        {"status": "invalid"},
    ],
    "comm_info_reply": [{"status": "ok", "comms": dict}],
    "kernel_info_reply": [
        {
            "status": "ok",
            "protocol_version": str,
            "implementation": str,
            "implementation_version": str,
            "language_info": {
                "name": str,
                "version": str,
                "mimetype": str,
                "file_extension": str,
                "pygments_lexer": str,
                "codemirror_mode": (str, dict),
                "nbconvert_exporter": Maybe(str),
            },
            "banner": str,
            "help_links": [{"text": str, "url": str}],
            "debugger": bool,
            "supported_features": [str],
        }
    ],
    "shutdown_reply": [{"status": "ok", "restart": bool}],
    "interrupt_reply": [{"status": "ok"}],
    "create_subshell_reply": [{"status": "ok", "subshell_id": str}],
    "delete_subshell_reply": [{"status": "ok"}],
    "list_subshell_reply": [{"status": "ok", "subshell_id": [str]}],
    # A response of the Debug Adapter Protocol, with what Jupyter adds to it.
    "debug_reply": [
        {
            "type": "response",
            "seq": int,
            "request_seq": int,
            "success": bool,
            "command": str,
            "message": Maybe(str),
            "body": {
                "isStarted": bool,
                "hashMethod": str,
                "hashSeed": (str, int),
                "tmpFilePrefix": str,
                "tmpFileSuffix": str,
                "breakpoints": [dict],
                "stoppedThreads": [int],
                "richRendering": bool,
                "exceptionPaths": [str],
                "copyToGlobals": Maybe(bool),
            },
        }
    ],
    "stream": [{"name": ("stdout", "stderr"), "text": str}],
    "display_data": [{"data": BUNDLE, "metadata": dict, "transient": {"display_id": Maybe(str)}}],
    "update_display_data": [{"data": BUNDLE, "metadata": dict, "transient": {"display_id": str}}],
    "execute_input": [{"code": str, "execution_count": int}],
    "execute_result": [{"execution_count": int, "data": BUNDLE, "metadata": dict}],
    "error": [{"ename": str, "evalue": str, "traceback": [str]}],
    "status": [{"execution_state": ("starting", "busy", "idle")}],
    "clear_output": [{"wait": bool}],
    "comm_open": [{"comm_id": str, "target_name": str, "data": dict}],
    "comm_msg": [{"comm_id": str, "data": dict}],
    "comm_close": [{"comm_id": str, "data": dict}],
    "input_request": [{"prompt": str, "password": bool}],
}

HEADER = {
    "msg_id": str,
    "session": str,
    "username": str,
    "date": datetime.datetime,  # jupyter-client reads ISO 8601
    "msg_type": str,
    "version": str,
}

TO_PAGE = 'import "github.com/seed5607215b/nnkit/display/jupyter"\n'


def wrong(value, want, where):
    """Says what is wrong with a value; nothing if it is as wanted."""
    if isinstance(want, Maybe):
        want = want.kind
    if isinstance(want, dict):
        if not isinstance(value, dict):
            return f"{where} is {value!r}, no object"
        missing = {k for k, w in want.items() if not isinstance(w, Maybe)} - set(value)
        if missing or set(value) - set(want):
            return f"{where} lacks {sorted(missing)} and has {sorted(set(value) - set(want))} too"
        return next(filter(None, (wrong(value[k], want[k], f"{where}.{k}") for k in value)), None)
    if isinstance(want, list):
        if not isinstance(value, list):
            return f"{where} is {value!r}, no list"
        return next(filter(None, (wrong(v, want[0], f"{where}[{i}]") for i, v in enumerate(value))), None)
    if isinstance(want, tuple):
        good = any(wrong(value, w, where) is None for w in want)
        return None if good else f"{where} is {value!r}, none of {want}"
    if isinstance(want, type):
        good = isinstance(value, want) and not (want is int and isinstance(value, bool))
        return None if good else f"{where} is {value!r}, no {want.__name__}"
    return None if value == want else f"{where} is {value!r}, not {want!r}"


class MessageTests(unittest.TestCase):
    """One conversation of which everything that the kernel says is kept, and looked at in the end."""

    def test_every_message(self):
        self.manager, self.client = start_new_kernel(kernel_name="nnkit", startup_timeout=PATIENCE)
        self.said = []  # channel, message
        self.returned = set()  # which of them were waited for
        self.asked = {}  # what was sent, by id
        try:
            self.converse()
        finally:
            self.client.stop_channels()
            self.manager.shutdown_kernel(now=True)
        for channel, message in self.said:
            self.check(channel, message)
        self.assertEqual(set(CONTENTS), {m["msg_type"] for _, m in self.said}, "the message types that came")
        for kind, forms in CONTENTS.items():
            seen = [m["content"] for _, m in self.said if m["msg_type"] == kind]
            for form in forms:
                self.assertTrue(any(wrong(c, form, "") is None for c in seen), f"no {kind} has the form {form}")

    def check(self, channel, message):
        kind, content = message["msg_type"], message["content"]
        name = f"{kind} on {channel}"
        self.assertIsNone(wrong(message["header"], HEADER, f"the header of {name}"))
        self.assertIn(kind, CONTENTS, name)
        found = [wrong(content, form, name) for form in CONTENTS[kind]]
        self.assertIn(None, found, name)
        self.assertIsInstance(message["metadata"], dict, name)
        if content.get("execution_state") != "starting":
            request = self.asked[message["parent_header"]["msg_id"]]
            self.assertEqual(message["parent_header"]["session"], self.client.session.session, name)
            if channel in ("shell", "control"):
                self.assertEqual(kind, request.replace("_request", "_reply"), name)

    def converse(self):
        self.send("kernel_info_request", {})
        self.execute('fmt.Println("out")\nfmt.Fprintln(os.Stderr, "err")\n6 * 7')
        self.execute("panic(1)")
        self.execute(TO_PAGE + 'o := jupyter.Output{ID: "o", Data: map[string]any{"text/plain": "1", "text/html": "<b>1</b>"}, Metadata: map[string]any{"text/html": map[string]any{"isolated": true}}}\njupyter.Display(o)\njupyter.Update(o)\njupyter.ClearOutput(true)\njupyter.SetNextInput("next", false)\njupyter.Page("a text")')
        shown = [m for _, m in self.said if m["msg_type"] == "display_data"][-1]["content"]
        self.assertEqual(shown, {
            "data": {"text/plain": "1", "text/html": "<b>1</b>"},
            "metadata": {"text/html": {"isolated": True}},
            "transient": {"display_id": "o"},
        })
        payload = [m for _, m in self.said if m["msg_type"] == "execute_reply"][-1]["content"]["payload"]
        self.assertEqual(payload, [
            {"source": "set_next_input", "text": "next", "replace": False},
            {"source": "page", "data": {"text/plain": "a text"}, "start": 0},
        ])
        cleared = [m for _, m in self.said if m["msg_type"] == "clear_output"][-1]["content"]
        self.assertEqual(cleared, {"wait": True})
        self.execute("%help")
        self.input()
        self.comms()
        for request, content in (
            ("inspect_request", {"code": "fmt.Println", "cursor_pos": 8, "detail_level": 0}),
            ("complete_request", {"code": "fmt.Pri", "cursor_pos": 7}),
            ("history_request", {"hist_access_type": "tail", "n": 2, "output": True, "raw": True}),
            ("is_complete_request", {"code": "1"}),
            ("is_complete_request", {"code": "for {"}),
            ("is_complete_request", {"code": "x := )"}),
            ("comm_info_request", {}),
        ):
            self.send(request, content)
        subshell = self.send("create_subshell_request", {}, "control")["subshell_id"]
        self.send("list_subshell_request", {}, "control")
        self.send("delete_subshell_request", {"subshell_id": subshell}, "control")
        self.send("debug_request", {"type": "request", "seq": 1, "command": "debugInfo", "arguments": {}}, "control")
        running = self.post("execute_request", self.cell("select {}"))
        queued = self.post("execute_request", self.cell("1"))
        self.listen(lambda channel, m: m["msg_type"] == "execute_input" and m["content"]["code"] == "select {}")
        self.send("interrupt_request", {}, "control")
        self.replied(running)
        self.replied(queued)
        self.send("shutdown_request", {"restart": False}, "control")

    def input(self):
        asked = self.post("execute_request", self.cell('fmt.Print("What? ")\nvar word string\nfmt.Scan(&word)\nword', allow_stdin=True))
        printed = self.listen(lambda channel, m: m["msg_type"] == "stream" and m["parent_header"]["msg_id"] == asked)
        self.assertEqual(printed["content"], {"name": "stdout", "text": "What? "})
        request = self.listen(lambda channel, m: channel == "stdin")
        self.assertEqual(request["content"], {"prompt": "", "password": False})
        self.client.input("gopher")
        self.replied(asked)
        result = [m for _, m in self.said if m["msg_type"] == "execute_result"][-1]
        self.assertEqual(result["content"]["data"]["text/plain"], "gopher")
        self.execute("fmt.Scan(&word)")
        refused = [m for _, m in self.said if m["msg_type"] == "error"][-1]["content"]["evalue"]
        self.assertIn("does not let cells ask for input", refused)

    def comms(self):
        """A comm that the program opens, with buffers both ways, and one that the client opens."""
        self.execute(TO_PAGE + """said := make(chan jupyter.Message, 1)
comm := jupyter.Open("here", jupyter.Message{Data: map[string]any{"n": 1}, Metadata: map[string]any{"version": "2.1.0"}, Buffers: [][]byte{{0, 255}}}, func(m jupyter.Message) { said <- m })
jupyter.Register("there", func(c *jupyter.Comm, m jupyter.Message) { c.Send(m) })""")
        opened = [m for _, m in self.said if m["msg_type"] == "comm_open"][-1]
        self.assertEqual(opened["content"]["target_name"], "here")
        self.assertEqual(opened["content"]["data"], {"n": 1})
        self.assertEqual(opened["metadata"], {"version": "2.1.0"})
        self.assertEqual([bytes(b) for b in opened["buffers"]], [b"\x00\xff"])
        comm = opened["content"]["comm_id"]
        self.assertEqual(self.send("comm_info_request", {"target_name": "here"})["comms"], {comm: {"target_name": "here"}})
        waiting = self.post("execute_request", self.cell("m := <-said\nfmt.Println(m.Data, m.Buffers)\ncomm.Close()"))
        self.listen(lambda channel, m: m["msg_type"] == "execute_input" and "m := <-said" in m["content"]["code"])
        self.notify("comm_msg", {"comm_id": comm, "data": {"x": [1, 2]}}, [b"ab"])
        self.replied(waiting)
        printed = [m["content"]["text"] for _, m in self.said if m["msg_type"] == "stream"][-1]
        self.assertEqual(printed, "map[x:[1 2]] [[97 98]]\n")
        self.notify("comm_open", {"comm_id": "mine", "target_name": "there", "data": {"echo": True}})
        answer = self.listen(lambda channel, m: m["msg_type"] == "comm_msg")
        self.assertEqual(answer["content"], {"comm_id": "mine", "data": {"echo": True}})
        self.notify("comm_close", {"comm_id": "mine", "data": {}})
        self.notify("comm_open", {"comm_id": "lost", "target_name": "nobody", "data": {}})
        refused = self.listen(lambda channel, m: m["msg_type"] == "comm_close" and m["content"]["comm_id"] == "lost")
        self.assertEqual(refused["content"], {"comm_id": "lost", "data": {}})

    def cell(self, code, allow_stdin=False):
        return {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": allow_stdin, "stop_on_error": True}

    def execute(self, code):
        return self.send("execute_request", self.cell(code))

    def post(self, request, content, channel="shell", buffers=()):
        message = self.client.session.msg(request, content)
        self.asked[message["header"]["msg_id"]] = request
        socket = getattr(self.client, channel + "_channel").socket
        self.client.session.send(socket, message, buffers=list(buffers))
        return message["header"]["msg_id"]

    def send(self, request, content, channel="shell"):
        """Sends a request; returns its reply's content."""
        return self.replied(self.post(request, content, channel))["content"]

    def notify(self, kind, content, buffers=()):
        """Sends what gets no reply, and waits until it was handled."""
        sent = self.post(kind, content, buffers=buffers)
        self.idle(sent)

    def replied(self, sent):
        reply = self.listen(lambda channel, m: channel in ("shell", "control") and m["parent_header"].get("msg_id") == sent)
        if reply["msg_type"] != "shutdown_reply":
            self.idle(sent)
        return reply

    def idle(self, sent):
        self.listen(lambda channel, m: m["parent_header"].get("msg_id") == sent and m["content"].get("execution_state") == "idle")

    def listen(self, wanted):
        """Reads all channels until a message comes that is wanted, also one that came already but was not returned."""
        for _ in range(PATIENCE * 20):
            for i, entry in enumerate(self.said):
                if i not in self.returned and wanted(*entry):
                    self.returned.add(i)
                    return entry[1]
            for channel in ("iopub", "shell", "control", "stdin"):
                while True:
                    try:
                        message = run_sync(getattr(self.client, channel + "_channel").get_msg)(timeout=0.01)
                    except Empty:
                        break
                    if message["parent_header"].get("msg_id") in self.asked:
                        self.said.append((channel, message))
        self.fail("what was waited for did not come")


if __name__ == "__main__":
    unittest.main(verbosity=2)
