"""A person in Jupyter's console, in a terminal, with the installed nnkit kernel.

Run with JUPYTER_PATH naming the data directory that the kernel was installed into.
"""

import os
import re
import sys
import unittest

import pexpect

PATIENCE = 120  # seconds; a limit for what hangs, not a measure

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07|\r")


class ConsoleTests(unittest.TestCase):
    def setUp(self):
        self.console = pexpect.spawn(
            sys.executable,
            ["-m", "jupyter_console", "--kernel", "nnkit", "--simple-prompt"],
            env={**os.environ, "TERM": "dumb", "PROMPT_TOOLKIT_NO_CPR": "1"},
            dimensions=(40, 200),
            timeout=PATIENCE,
            encoding="utf-8",
        )
        self.addCleanup(self.console.close, force=True)
        self.expect("nnkit .*Go cells, compiled")
        self.expect(r"In \[1\]:")

    def expect(self, pattern):
        self.console.expect(pattern)

    def say(self, line, *patterns):
        self.console.sendline(line)
        for p in patterns:
            self.expect(p)

    def test_talk(self):
        self.say("6 * 7", r"Out\[1\]: 42", r"In \[2\]:")
        self.say('fmt.Println("hello", "console")', "hello console\r\n", r"In \[3\]:")
        self.say("var none []int; none[3]", r"index out of range \[3\] with length 0", r"In \[4\]:")
        self.say('var name string; fmt.Print("Name: "); fmt.Scan(&name); fmt.Println("good day,", name)', "Name: \r?\n?")
        self.say("Gopher", "good day, Gopher", r"In \[5\]:")
        self.say("?strings.Cut", "Cut slices s around the first instance of sep", r"In \[6\]:")
        self.say('n := 0; for in := bufio.NewScanner(os.Stdin); in.Scan(); { n++ }; fmt.Println(n, "lines")')
        self.say("one", r"\^D ends the input")
        self.console.sendeof()
        self.expect("1 lines")
        self.expect(r"In \[7\]:")


if __name__ == "__main__":
    unittest.main(verbosity=2)
