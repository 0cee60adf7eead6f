"""Executes notebooks through nbclient, each twice in one kernel, and checks what they show.

    python3 e2e/notebook.py EXECUTED_DIR OUTPUT_DIR NOTEBOOK …

EXECUTED_DIR holds the same notebooks, executed by the kernel's own run command,
under the same paths below the folder notebooks. JUPYTER_PATH names the data
directory that the kernel was installed into. The executed notebooks and pages
made of them by nbconvert are kept in OUTPUT_DIR.
"""

import base64
import copy
import os
import re
import sys
import xml.etree.ElementTree as xml

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter, ScriptExporter
from traitlets.config import Config

PATIENCE = 600  # seconds a cell; a limit for what hangs, not a measure
failures = []

# Debian 12's nbconvert leaves nothing of an SVG but its frame; docs/install.md has the same.
PNG_FIRST = Config()
PNG_FIRST.NbConvertBase.display_data_priority = ["text/html", "text/markdown", "image/png", "image/svg+xml", "text/latex", "text/plain"]


def check(holds, sentence):
    print(("ok   " if holds else "FAIL ") + sentence)
    if not holds:
        failures.append(sentence)


def execute(path):
    """The notebook as it was executed, and its cells as they were when run again."""
    nb = nbformat.read(path, as_version=4)
    nbformat.validate(nb)
    first = nb.cells
    again = copy.deepcopy(first)
    for cell in again:
        cell.id += "-again"
    nb.cells = first + again
    NotebookClient(
        nb,
        timeout=PATIENCE,
        kernel_name=nb.metadata.kernelspec.name,
        allow_errors=True,
        resources={"metadata": {"path": os.path.dirname(path)}},
    ).execute()
    nbformat.validate(nb)
    again = [c for c in nb.cells if c.id.endswith("-again")]
    nb.cells = [c for c in nb.cells if not c.id.endswith("-again")]
    return nb, again


def code_cells(cells):
    return [c for c in cells if c.cell_type == "code" and c.source.strip()]


def pictures(cell):
    """The cell's pictures as (type, bytes)."""
    found = []
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            found.append(("png", base64.b64decode(data["image/png"])))
        if "image/svg+xml" in data:
            found.append(("svg", data["image/svg+xml"].encode()))
    return found


def is_picture(kind, data):
    if kind == "png":
        return data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) > 1000
    kinds = [e.tag.rpartition("}")[2] for e in xml.fromstring(data).iter()]
    drawn = {"path", "rect", "line", "polyline", "circle", "text"}
    return "image" in kinds or sum(k in drawn for k in kinds) > 10


def shown(cell):
    """What a cell shows as text, without how fast it was."""
    text = ""
    for output in cell.outputs:
        if output.output_type == "stream":
            text += output.text  # one text may come in several messages
        elif "data" in output:
            text += output.data.get("text/plain", "") + "\n"
    speed = r"\b\d+(\.\d+)?\s?(ns|µs|ms|s|m\d+(\.\d+)?s|batches/s)(?!\w)|每秒 \d+(\.\d+)? 批"
    return re.sub(speed, "SPEED", text)


def head(cell):
    return cell.source.strip().splitlines()[0]


def judge(path, ours, out):
    first, again = execute(path)
    name = os.path.splitext(os.path.basename(path))[0]
    nbformat.write(first, os.path.join(out, name + ".nbclient.ipynb"))

    cells = code_cells(first.cells)
    check(len(cells) >= 3, f"the notebook has {len(cells)} cells of code")
    for i, cell in enumerate(cells, 1):
        errors = [o for o in cell.outputs if o.output_type == "error"]
        check(
            not errors and cell.execution_count == i,
            f"cell {i} ran as the {cell.execution_count}. without an error: {head(cell)}",
        )
        for e in errors:
            print("\n".join(e.traceback))

    text = "\n".join(shown(c) for c in cells)
    check(re.search(r"\d\.\d{2,}", text) is not None, "the outputs hold numbers")
    all_pictures = [p for c in cells for p in pictures(c)]
    drawing = [c for c in cells if pictures(c)]
    check(len(drawing) >= 2, f"{len(drawing)} cells show pictures")
    for i, (kind, data) in enumerate(all_pictures, 1):
        check(is_picture(kind, data), f"picture {i} is a drawn {kind} of {len(data)} bytes")

    same(cells, code_cells(again), "when run again")
    nb = nbformat.read(ours, as_version=4)
    nbformat.validate(nb)
    same(cells, code_cells(nb.cells), "under the kernel's own run command")

    page, _ = HTMLExporter(config=PNG_FIRST).from_notebook_node(first)
    check('<span class="kn">import</span>' in page or '<span class="kd">func</span>' in page, "nbconvert colours the cells as Go")
    script, resources = ScriptExporter().from_notebook_node(first)
    cells = [c.source for c in first.cells if c.cell_type == "code"]
    check(resources["output_extension"] == ".go" and all(c in script for c in cells), "nbconvert makes a .go file of the cells")
    with open(os.path.join(out, name + ".nbconvert.html"), "w", encoding="utf-8") as f:
        f.write(page)
    drawn = len(re.findall(r'<img[^>]*src="data:image/', page))
    check(drawn >= len(drawing), f"the page that nbconvert makes holds {drawn} pictures")


def same(cells, others, when):
    check(len(cells) == len(others), f"there are {len(cells)} cells {when}")
    for i, (a, b) in enumerate(zip(cells, others), 1):
        check(shown(a) == shown(b), f"cell {i} shows the same {when}")
        check(pictures(a) == pictures(b), f"cell {i} draws the same {when}")


def main():
    executed, out = sys.argv[1], sys.argv[2]
    for path in sys.argv[3:]:
        print(f"\n{path}")
        below = os.path.relpath(path, "notebooks")
        os.makedirs(os.path.join(out, os.path.dirname(below)), exist_ok=True)
        judge(path, os.path.join(executed, below), os.path.join(out, os.path.dirname(below)))

    if failures:
        print(f"\n{len(failures)} checks failed:", *failures, sep="\n  ")
        sys.exit(1)


main()
