"""Jupyter's own test suite for kernels, on the installed nnkit kernel, and what it does not ask.

Run with JUPYTER_PATH naming the data directory that the kernel was installed into.
"""

import time
import unittest
from queue import Empty

import jupyter_kernel_test
from jupyter_client.utils import run_sync

PATIENCE = 120  # seconds; a limit for what hangs, not a measure


class NnkitKernelTests(jupyter_kernel_test.KernelTests):
    kernel_name = "nnkit"
    language_name = "go"
    file_extension = ".go"

    code_hello_world = 'fmt.Println("hello, world")'
    code_stderr = 'fmt.Fprintln(os.Stderr, "to stderr")'
    code_generate_error = 'panic("on purpose")'

    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": 'len("gopher")', "result": "6"},
        {"code": 'strings.Repeat("go", 2) == "gogo"', "result": "true"},
    ]
    code_display_data = [
        {
            "code": 'import "github.com/janpfeifer/gonb/gonbui"\ngonbui.DisplayHTML("<b>bold</b>")',
            "mime": "text/html",
        },
        {
            "code": 'import "github.com/janpfeifer/gonb/gonbui"\ngonbui.DisplayMarkdown("**bold**")',
            "mime": "text/markdown",
        },
    ]

    complete_code_samples = [
        "1 + 1",
        "x := 1",
        "func double(n int) int {\n\treturn 2 * n\n}",
        'import "fmt"\nfmt.Println("{")',
        "type point struct{ x, y int }",
    ]
    incomplete_code_samples = [
        "func double(n int) int {",
        "for i := range 3 {\n\tfmt.Println(i)",
        "fmt.Println(",
        "s := `a raw",
        "x := 1 +",
    ]
    invalid_code_samples = ["x := )", "func 3() {}", "}"]

    completion_samples = [
        {"text": "fmt.Pri", "matches": {"Print", "Printf", "Println"}},
        {"text": "strings.ToUp", "matches": {"ToUpper", "ToUpperSpecial"}},
        {"text": "%%wr", "matches": {"%%writefile"}},
        {"text": "nothingIsCalledThis", "matches": set()},
    ]
    code_inspect_sample = "fmt.Println"
    code_page_something = "?strings.Cut"
    code_clear_output = 'import "github.com/seed5607215b/nnkit/display/jupyter"\njupyter.ClearOutput(false)'

    code_history_pattern = "6 ? 7"
    supported_history_operations = ("tail", "range", "search")

    def run_cell(self, code, **options):
        """Executes code; returns the reply's content and the messages on iopub."""
        messages = []
        reply = self.kc.execute_interactive(
            code, timeout=PATIENCE, allow_stdin=False, output_hook=messages.append, **options
        )
        return reply["content"], messages

    def printed(self, messages):
        return "".join(
            m["content"]["text"]
            for m in messages
            if m["msg_type"] == "stream" and m["content"]["name"] == "stdout"
        )

    def test_silent(self):
        self.flush_channels()
        before, _ = self.run_cell("1")
        reply, messages = self.run_cell("2 + 3", silent=True, store_history=False)
        self.assertEqual(reply["status"], "ok")
        self.assertEqual({m["msg_type"] for m in messages}, {"status"})
        after, _ = self.run_cell("1")
        self.assertEqual(after["execution_count"], before["execution_count"] + 1)

    def test_panic_keeps_state(self):
        self.flush_channels()
        self.run_cell("kept := []int{1, 2, 3}")
        reply, messages = self.run_cell("kept = append(kept, 4)\nkept[10] = 0")
        self.assertEqual(reply["status"], "error")
        self.assertIn("index out of range [10] with length 4", reply["evalue"])
        self.assertEqual([m["msg_type"] for m in messages].count("error"), 1)
        reply, messages = self.run_cell("fmt.Println(kept)")
        self.assertEqual(reply["status"], "ok")
        self.assertEqual(self.printed(messages), "[1 2 3 4]\n")

    def test_compile_error_names_line(self):
        self.flush_channels()
        reply, _ = self.run_cell("a := 1\nb := a + undefinedName")
        self.assertEqual(reply["status"], "error")
        text = "\n".join([reply["evalue"], *reply["traceback"]])
        self.assertIn("undefinedName", text)
        self.assertRegex(text, r"line 2\b")

    def test_interrupt_keeps_state(self):
        self.flush_channels()
        self.run_cell("turns := 0")
        self.kc.execute('fmt.Println("begun")\nfor {\n\tturns++\n}')
        self.wait_for("stream")
        self.km.interrupt_kernel()
        reply = self.get_non_kernel_info_reply(timeout=PATIENCE)
        self.assertEqual(reply["content"]["status"], "error")
        self.flush_channels()
        reply, messages = self.run_cell("fmt.Println(turns > 0)")
        self.assertEqual(reply["status"], "ok")
        self.assertEqual(self.printed(messages), "true\n")

    def test_failure_aborts_queued_cells(self):
        self.flush_channels()
        ids = [self.kc.execute(code) for code in ('time.Sleep(time.Second)\npanic("first")', "1", "2")]
        replies = {}
        while len(replies) < len(ids):
            reply = self.get_non_kernel_info_reply(timeout=PATIENCE)
            replies[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
        self.assertEqual([replies[i] for i in ids], ["error", "aborted", "aborted"])
        reply, _ = self.run_cell("3")
        self.assertEqual(reply["status"], "ok")

    def test_restart_forgets(self):
        self.flush_channels()
        self.run_cell("forgotten := 1")
        self.km.restart_kernel(now=False)
        self.kc.wait_for_ready(timeout=PATIENCE)
        reply, _ = self.run_cell("forgotten")
        self.assertEqual(reply["status"], "error")

    def ask(self, request, content, channel="shell", subshell=None):
        """Sends a request; returns its reply's content, with the states on iopub."""
        message = self.kc.session.msg(request, content)
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        getattr(self.kc, channel + "_channel").send(message)
        wanted = message["header"]["msg_id"]
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                reply = run_sync(getattr(self.kc, channel + "_channel").get_msg)(timeout=1)
            except Empty:
                continue
            if reply["parent_header"].get("msg_id") == wanted:
                self.assertEqual(reply["msg_type"], request.replace("_request", "_reply"))
                return reply["content"]
        self.fail(f"{request} was not answered")

    def test_complete_fields(self):
        """Field by field, with characters before the cursor that are two for JavaScript."""
        self.flush_channels()
        self.run_cell("größe := strings.Builder{}")
        code = '/* 𝄞ä */ größe.WriteS(1)'
        cursor = code.index("(")
        got = self.ask("complete_request", {"code": code, "cursor_pos": cursor})
        self.assertEqual(got["metadata"]["_jupyter_types_experimental"][0].pop("documentation")[:19], "WriteString appends")
        start = cursor - len("WriteS")
        self.assertEqual(
            got,
            {
                "status": "ok",
                "matches": ["WriteString"],
                "cursor_start": start,
                "cursor_end": cursor,
                "metadata": {
                    "_jupyter_types_experimental": [
                        {
                            "start": start,
                            "end": cursor,
                            "text": "WriteString",
                            "type": "method",
                            "signature": "func(s string) (int, error)",
                        }
                    ]
                },
            },
        )
        nothing = self.ask("complete_request", {"code": "// fmt.", "cursor_pos": 7})
        self.assertEqual(
            nothing,
            {"status": "ok", "matches": [], "cursor_start": 7, "cursor_end": 7, "metadata": {"_jupyter_types_experimental": []}},
        )
        far = self.ask("complete_request", {"code": "fmt.Pri", "cursor_pos": 100})
        self.assertEqual((far["cursor_start"], far["cursor_end"]), (4, 7))

    def test_inspect_fields(self):
        self.flush_channels()
        self.run_cell('answer := 6 * 7')
        got = self.ask("inspect_request", {"code": "answer", "cursor_pos": 3, "detail_level": 0})
        self.assertEqual(set(got), {"status", "found", "data", "metadata"})
        self.assertIs(got["found"], True)
        self.assertEqual(set(got["data"]), {"text/plain", "text/html"})
        self.assertIn("var answer int", got["data"]["text/plain"])
        self.assertIn("42", got["data"]["text/plain"])
        brief = self.ask("inspect_request", {"code": "strings.Cut(", "cursor_pos": 12, "detail_level": 0})
        full = self.ask("inspect_request", {"code": "strings.Cut(", "cursor_pos": 12, "detail_level": 1})
        self.assertIn("func strings.Cut(", brief["data"]["text/plain"])
        self.assertNotIn("Source:", brief["data"]["text/plain"])
        self.assertIn("Source:", full["data"]["text/plain"])
        none = self.ask("inspect_request", {"code": "nothingIsCalledThis", "cursor_pos": 4, "detail_level": 0})
        self.assertEqual(none, {"status": "ok", "found": False, "data": {}, "metadata": {}})

    def test_is_complete_of_commands(self):
        self.flush_channels()
        for code, want in {
            "%who": {"status": "complete"},
            "!ls \\": {"status": "incomplete"},
            "?fmt": {"status": "complete"},
            "for i := range 3 {": {"status": "incomplete", "indent": "\t"},
            "x := )": {"status": "invalid"},
        }.items():
            self.assertEqual(self.ask("is_complete_request", {"code": code}), want, code)

    def test_subshell(self):
        self.flush_channels()
        info = self.ask("kernel_info_request", {})
        self.assertIn("kernel subshells", info["supported_features"])
        subshell = self.ask("create_subshell_request", {}, "control")["subshell_id"]
        self.assertEqual(self.ask("list_subshell_request", {}, "control"), {"status": "ok", "subshell_id": [subshell]})
        running = self.kc.execute('busy := strings.Builder{}\nfmt.Println("begun")\nselect {}')
        self.wait_for("stream")
        got = self.ask("complete_request", {"code": "busy.Le", "cursor_pos": 7}, subshell=subshell)
        self.assertEqual(got["matches"], ["Len"])
        got = self.ask("inspect_request", {"code": "busy.Len", "cursor_pos": 7, "detail_level": 0}, subshell=subshell)
        self.assertIn("Len returns the number of accumulated bytes", got["data"]["text/plain"])
        self.km.interrupt_kernel()
        reply = self.get_non_kernel_info_reply(timeout=PATIENCE)
        self.assertEqual((reply["parent_header"]["msg_id"], reply["content"]["status"]), (running, "error"))
        self.assertEqual(self.ask("execute_request", {"code": "1 + 1", "silent": False}, subshell=subshell)["status"], "ok")
        self.assertEqual(self.ask("delete_subshell_request", {"subshell_id": subshell}, "control"), {"status": "ok"})
        refused = self.ask("complete_request", {"code": "busy.Le", "cursor_pos": 7}, subshell=subshell)
        self.assertEqual(refused["status"], "error")

    def test_history_outlives_the_kernel(self):
        self.flush_channels()
        self.run_cell('"kept for the next kernel"')
        self.km.restart_kernel(now=False)
        self.kc.wait_for_ready(timeout=PATIENCE)
        got = self.ask(
            "history_request",
            {"hist_access_type": "search", "pattern": "*next kernel*", "output": True, "raw": True, "n": 1},
        )
        (session, _, (source, output)), = got["history"]
        self.assertEqual((source, output), ('"kept for the next kernel"', "kept for the next kernel"))
        self.run_cell("1")
        own = self.ask("history_request", {"hist_access_type": "range", "session": 0, "output": False, "raw": True})
        self.assertGreater(own["history"][0][0], session)
        reply, messages = self.run_cell("%hist -g 'the next kernel'")
        self.assertIn(f"[{session}/", self.printed(messages))

    def debug(self, command, **arguments):
        """Asks the debugger, and returns the body of its answer."""
        self.seq = getattr(self, "seq", 0) + 1
        content = {"type": "request", "seq": self.seq, "command": command, "arguments": arguments}
        reply = self.ask("debug_request", content, "control")
        self.assertEqual((reply["type"], reply["request_seq"], reply["command"]), ("response", self.seq, command))
        self.assertTrue(reply["success"], reply.get("message"))
        return reply["body"]

    def stopped(self):
        """Waits until the debugger has stopped a cell, and returns where: function, line, variables."""
        while self.wait_for("debug_event")["content"]["event"] != "stopped":
            pass
        frame = self.debug("stackTrace", threadId=1)["stackFrames"][0]
        local = self.debug("scopes", frameId=frame["id"])["scopes"][0]
        variables = self.debug("variables", variablesReference=local["variablesReference"])["variables"]
        return frame["name"], frame["line"], {v["name"]: v["value"] for v in variables}

    def test_debugger(self):
        self.flush_channels()
        info = self.ask("kernel_info_request", {}, "control")
        self.assertTrue(info["debugger"])
        self.assertIn("debugger", info["supported_features"])
        self.debug("initialize", clientID="test")
        self.debug("attach")
        code = "func twice(n int) int {\n\tm := n + n\n\treturn m\n}\nk := twice(21)\nk"
        path = self.debug("dumpCell", code=code)["sourcePath"]
        found = self.debug("setBreakpoints", source={"path": path}, breakpoints=[{"line": 2}])["breakpoints"]
        self.assertEqual([(b["verified"], b["line"]) for b in found], [(True, 2)])
        self.debug("configurationDone")
        for _ in range(20):  # begun and ended again and again
            running = self.kc.execute(code)
            self.assertEqual(self.stopped(), ("twice", 2, {"n": "21"}))
            self.debug("next", threadId=1)
            self.assertEqual(self.stopped(), ("twice", 3, {"n": "21", "m": "42"}))
            self.debug("continue", threadId=1)
            reply = self.get_non_kernel_info_reply(timeout=PATIENCE)
            self.assertEqual((reply["parent_header"]["msg_id"], reply["content"]["status"]), (running, "ok"))
            state = self.debug("debugInfo")
            self.assertEqual((state["isStarted"], state["stoppedThreads"], len(state["breakpoints"])), (True, [], 1))
            self.debug("disconnect")
            self.assertEqual(self.run_cell(code)[0]["status"], "ok")  # does not stop
            self.debug("attach")
            self.debug("setBreakpoints", source={"path": path}, breakpoints=[{"line": 2}])
        self.kc.execute(code)
        self.stopped()
        self.km.interrupt_kernel()
        self.assertEqual(self.get_non_kernel_info_reply(timeout=PATIENCE)["content"]["status"], "error")
        self.debug("disconnect")
        self.run_cell("1")  # reads the events, which the suite does not know

    def test_as_vs_code_asks(self):
        """What VS Code's Jupyter extension relies on: cells of its own leave no trace, and a failed one stops no other."""
        self.flush_channels()
        self.ask("kernel_info_request", {})
        count = self.run_cell("1")[0]["execution_count"]
        own = self.kc.execute("hidden := 2", silent=True, store_history=False)
        reply = self.get_non_kernel_info_reply(timeout=PATIENCE)
        self.assertEqual((reply["parent_header"]["msg_id"], reply["content"]["status"]), (own, "ok"))
        failing = self.kc.execute("undefinedName", stop_on_error=False)
        following = self.kc.execute("hidden", stop_on_error=False, allow_stdin=True)
        replies = {}
        while len(replies) < 2:
            reply = self.get_non_kernel_info_reply(timeout=PATIENCE)
            replies[reply["parent_header"]["msg_id"]] = reply["content"]
        self.assertEqual((replies[failing]["status"], replies[following]["status"]), ("error", "ok"))
        self.assertEqual(replies[following]["execution_count"], count + 2)
        self.assertIn("Println", self.ask("complete_request", {"code": "fmt.Printl", "cursor_pos": 10})["matches"])
        told = self.ask("inspect_request", {"code": "hidden", "cursor_pos": 6, "detail_level": 0})
        self.assertTrue(told["found"] and "var hidden int" in told["data"]["text/plain"], told)
        self.assertEqual(self.ask("comm_info_request", {"target_name": "jupyter.widget"})["status"], "ok")
        endless = self.kc.execute("for {\n}")
        while self.wait_for("status", endless)["content"]["execution_state"] != "busy":
            pass
        self.assertEqual(self.ask("interrupt_request", {}, "control")["status"], "ok")
        self.assertEqual(self.get_non_kernel_info_reply(timeout=PATIENCE)["content"]["status"], "error")

    def wait_for(self, kind, request=None):
        """Reads iopub up to a message of this type, of one request where it is given."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                message = run_sync(self.kc.iopub_channel.get_msg)(timeout=1)
            except Empty:
                continue
            if message["msg_type"] == kind and request in (None, message["parent_header"].get("msg_id")):
                return message
        self.fail(f"no {kind} message came")


if __name__ == "__main__":
    unittest.main(verbosity=2)
