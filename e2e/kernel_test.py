"""Jupyter's own test suite for kernels, on the installed nnkit kernel, and what it does not ask.

Run with JUPYTER_PATH naming the data directory that the kernel was installed into.
"""

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

    def wait_for(self, kind):
        """Reads iopub up to a message of this type."""
        for _ in range(PATIENCE):
            try:
                message = run_sync(self.kc.iopub_channel.get_msg)(timeout=1)
            except Empty:
                continue
            if message["msg_type"] == kind:
                return message
        self.fail(f"no {kind} message came")


if __name__ == "__main__":
    unittest.main(verbosity=2)
