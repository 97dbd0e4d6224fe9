"""Commands and code of the documentation: taken out of its pages, and run.

In a page's order, in one folder a page, with one namespace for its Python. Fenced blocks are

- `sh`: commands, a line each; those of propgraph alone run in this process, since starting one takes seconds,
  all others in bash. `# ends with 1` behind one says that it fails, and how.
- `python`, `r`: one script a block; the Python of a page goes on where its last block ended, R starts anew.
- `text` right after one of these: lines that it has to print, in this order; a line `...` stands for any others.
- any block with `title="FILE"`: a file. If it is there, the block has to be its beginning; else it is written.

`<!-- not run: REASON -->` before a block leaves it out, and says why.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from propgraph.cli.app import run

RUN = ("sh", "python", "r")
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)(?: +title=\"(?P<title>[^\"]+)\")?[^\n`]*\n(?P<text>.*?)^(?P=indent)```",
    re.M | re.S,
)
_REASON = re.compile(r"<!-- not run: (.+?) -->\s*\Z", re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, the file it is, what it holds, and why it is not run."""

    page: str
    line: int
    language: str
    title: str | None
    text: str
    reason: str | None
    follows: bool  # right after a block that runs

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(path: Path) -> list[Block]:
    """Return all fenced blocks of a page."""
    page, found, end, runs = path.read_text(encoding="utf-8"), [], 0, False
    for match in _FENCE.finditer(page):
        between = page[end : match.start()]
        reason = _REASON.search(between)
        text = re.sub(f"^{match['indent']}", "", match["text"], flags=re.M)
        follows = runs and not between.strip() and match["language"] == "text"
        line = page.count("\n", 0, match.start()) + 1
        found.append(
            Block(
                path.name,
                line,
                match["language"],
                match["title"],
                text,
                reason[1] if reason else None,
                follows,
            )
        )
        end, runs = match.end(), match["language"] in RUN and not reason
    return found


class Reader:
    """Who follows a page, block by block, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.printed = ""

    def follow(self, block: Block) -> None:
        """Do what a block says; an `AssertionError` tells where it led astray."""
        if block.title:
            self._file(block, self.folder / block.title)
        elif block.follows:
            self._compare(block)
        elif block.language == "sh":
            self.printed = "".join(self._command(line, block) for line in _lines(block.text))
        elif block.language == "python":
            self.printed = self._python(block)
        elif block.language == "r":
            self.printed = self._bash(
                f"{rscript()} --vanilla - <<'ENDOFSCRIPT'\n{block.text}ENDOFSCRIPT", block
            )

    def _file(self, block: Block, path: Path) -> None:
        if not path.exists():
            path.write_text(block.text, encoding="utf-8")
        given = path.read_text(encoding="utf-8")
        assert given.startswith(block.text), (
            f"{block.place}: {block.title} does not begin so, but\n{given[:400]}"
        )

    def _compare(self, block: Block) -> None:
        """Look for each line of the block in what was printed last, in order; blanks count as one."""
        left = [" ".join(line.split()) for line in self.printed.splitlines()]
        for line in (" ".join(line.split()) for line in block.text.splitlines()):
            if line in ("", "..."):
                continue
            assert line in left, (
                f"{block.place}: not printed, or not in this order: {line}\nPrinted:\n{self.printed}"
            )
            left = left[left.index(line) + 1 :]

    def _command(self, line: str, block: Block) -> str:
        words = shlex.split(line, comments=True)
        plain = words[:1] == ["propgraph"] and not set(shlex.split(line.partition("#")[0])) & {
            "|",
            "&&",
            ";",
            "||",
            "<",
        }
        ends = re.search(r"# ends with (\d+)$", line)
        return (
            self._propgraph(words[1:], block, int(ends[1]) if ends else 0)
            if plain
            else self._bash(line, block)
        )

    def _propgraph(self, words: list[str], block: Block, ends: int) -> str:
        """Run a command in this process, into a file where the line says so (`> FILE`)."""
        target = None
        if ">" in words:
            target, words = words[words.index(">") + 1], words[: words.index(">")]
        raw, told = io.BytesIO(), io.StringIO()
        out = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
            code = run(words)
        out.flush()
        assert code == ends, (
            f"{block.place}: propgraph {shlex.join(words)} ended with {code}:\n{told.getvalue()}"
        )
        if target:
            (self.folder / target).write_bytes(raw.getvalue())
            return told.getvalue()
        return raw.getvalue().decode() + told.getvalue()

    def _python(self, block: Block) -> str:
        code = compile("\n" * block.line + block.text, block.page, "exec")
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(code, self.names)  # it is our own page
        return out.getvalue()

    def _bash(self, line: str, block: Block) -> str:
        path = f"{Path(sys.executable).parent}"
        script = f'set -euo pipefail\nexport PATH="{path}:$PATH"\n{line}\n'
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (
            f"{block.place}: {line}\nended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
        return done.stdout + done.stderr


@cache
def rscript() -> str | None:
    """Return where R is, if it has what the documentation asks of it."""
    command = shutil.which("Rscript")
    if command is None:
        return None
    asked = [command, "--vanilla", "-e", "library(data.table); library(igraph)"]
    return command if subprocess.run(asked, capture_output=True, check=False).returncode == 0 else None


def _lines(text: str) -> list[str]:
    """Return the commands of a block: a backslash joins lines, a here-document or a loop stays whole."""
    joined = text.replace("\\\n", " ")
    if re.search(r"<<|^(?:for|while|if) ", joined, flags=re.M):
        return [joined]
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]
