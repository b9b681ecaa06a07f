"""Does what a page tells its reader to do, and says where something else happens.

Imports tests/docs/pages.py, tests/docs/shell.py, tests/programs.py and the scripts' own
environment; POSIX only.

A block `console` is typed, line by line, into one terminal; `console server` into another one,
where the last command goes on. A block whose second word is a path is written to that file.
"""

import difflib
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.docs.pages import REPOSITORY, Block, Page
from tests.docs.shell import LIMIT_SEC, Shell
from tests.programs import WITHOUT_OURS
from tests.waiting import until_sync

HOME = "/home/ada/aura-aio"
"""Where the reader of the pages has the repository."""
PORT = "18098"
DOTS = "…"
"""A line that stands for any number of lines."""

_PARTS = ("aura_aio", "plans", "scripts", "openapi.yaml", "pyproject.toml", "constraints.txt")
_ALSO = ("README.md", "LICENSE")
_TIME = r"(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:\.\d+)?Z?"
_CID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-([0-9a-f]{12})\b")
_MASKS = (
    (re.compile(_TIME), "TIME"),
    (re.compile(r"\b\d+ h \d\d m\b|\b\d+ m \d\d s\b|\b\d+(?:\.\d+)? ?(?:ms|s)\b"), "DURATION"),
    (re.compile(r"\bworker-\d+\b"), "WORKER"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r'"seq": ?\d+'), "SEQ"),
    (re.compile(r"\s+"), " "),
)


class Typed(NamedTuple):
    """A command of a page, and what the page says that it prints."""

    command: str
    shown: tuple[str, ...]
    line: int


def commands(block: Block) -> Iterator[Typed]:
    """The commands of a block `console`."""
    typed: list[str] = []
    shown: list[str] = []
    start = block.line
    for number, line in enumerate(block.lines, start=block.line):
        if line.startswith("$ "):
            if typed:
                yield Typed("\n".join(typed), tuple(shown), start)
            typed, shown, start = [line[2:]], [], number
        elif typed and typed[-1].endswith("\\") and not shown:
            typed.append(line)
        else:
            shown.append(line)
    assert typed, f"line {block.line}: a block 'console' begins with '$ '"
    yield Typed("\n".join(typed), tuple(shown), start)


class Masks:
    """Makes what differs from one day to another the same, in the order in which it appears."""

    def __init__(self) -> None:
        self._cids: dict[str, str] = {}
        self._tails: dict[str, str] = {}

    def lines(self, lines: Sequence[str], *, in_order: bool = False) -> list[str]:
        """The lines to compare. Steps that run at the same time may log in any order, so lines of
        the log that follow each other are sorted, unless all are to stay `in_order`.
        """
        found: list[str] = []
        logged: list[str] = []
        for line in _unwrapped(lines):
            masked = self._line(line)
            if masked.startswith("TIME ") and not in_order:
                logged.append(masked)
                continue
            found += sorted(logged)
            logged = []
            found.append(masked)
        found += sorted(logged)
        return [line for line in found if line and "worker up" not in line]

    def _line(self, line: str) -> str:
        text = _CID.sub(self._cid, line)
        for tail, name in self._tails.items():
            text = text.replace(tail, name)
        for mask, word in _MASKS:
            text = mask.sub(word, text)
        return text.strip()

    def _cid(self, found: re.Match[str]) -> str:
        name = self._cids.setdefault(found[0], f"CID-{len(self._cids) + 1}")
        self._tails.setdefault(found[1], f"TAIL-OF-{name}")
        return name


def _unwrapped(lines: Sequence[str]) -> list[str]:
    """The lines, with those of the log whole that a terminal is too narrow for."""
    found: list[str] = []
    is_log = False
    for line in lines:
        if is_log and re.match(r" {4}\S", line):
            found[-1] += f" {line.strip()}"
        else:
            found.append(line)
            is_log = re.match(_TIME, line) is not None
    return found


class Guide:
    """A reader of one page, with a repository and a port of their own."""

    def __init__(self, page: Page, folder: Path) -> None:
        self._page = page
        self._folder = make_repository(folder)
        self._shown, self._happened = Masks(), Masks()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = str(free.getsockname()[1])

    def follow(self) -> int:
        """Do all that the page says; how many commands that were.

        Raises:
            AssertionError: something else happened; says where, and what.
        """
        count = 0
        with ExitStack() as stack:
            terminals: dict[str, Shell] = {}
            for block in self._page.blocks:
                kind, name = (*block.info, "", "")[:2]
                if kind != "console":
                    if name:
                        self._write(name, block.text)
                    continue
                if name not in terminals:
                    shell = Shell(self._folder, self._environment())
                    terminals[name] = stack.enter_context(shell)
                for typed in commands(block):
                    count += 1
                    self._try(terminals[name], typed, goes_on=bool(name))
        return count

    def _try(self, terminal: Shell, typed: Typed, *, goes_on: bool) -> None:
        command = typed.command.replace(PORT, self._port)
        in_order = DOTS in typed.shown
        shown = self._shown.lines(typed.shown, in_order=in_order)
        if goes_on:
            last = typed.shown[-1]
            terminal.type(command)
            until_sync(lambda: last in terminal.screen, LIMIT_SEC)
            output = terminal.screen
        else:
            output = terminal.run(command)
        text = output.replace(self._port, PORT).replace(str(self._folder), HOME)
        happened = self._happened.lines(text.splitlines(), in_order=in_order)
        if goes_on:
            happened = happened[: len(shown)]
        assert same(shown, happened), "\n".join(
            [
                f"{self._page.name}:{typed.line}: $ {typed.command}",
                *difflib.unified_diff(shown, happened, "shown", "happened", lineterm="", n=30),
                "what it printed, as it was:",
                text,
            ]
        )

    def _write(self, name: str, text: str) -> None:
        file = self._folder / name
        assert file.resolve().is_relative_to(self._folder), name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace(PORT, self._port), "utf-8")

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self._folder.parent),
            "LANG": "C.UTF-8",
            # Among the packages that are borrowed are plugins of pytest: one would have its say,
            # others take their time to import.
            "PYTHONWARNINGS": 'ignore:The configuration option "asyncio_',
            "PYTEST_ADDOPTS": WITHOUT_OURS,
            "AURA_PORT": self._port,
            "AURA_URL": f"http://127.0.0.1:{self._port}",
        }


def same(shown: Sequence[str], happened: Sequence[str]) -> bool:
    """Whether this is what happened; `DOTS` stand for any number of lines. Where a line breaks, and
    how wide a column is, depends on the length of paths and durations, so spaces do not count.
    """
    segments = [""]
    for line in shown:
        if line == DOTS:
            segments.append("")
        else:
            segments[-1] += line
    pattern = ".*".join(re.escape(segment.replace(" ", "")) for segment in segments)
    return re.fullmatch(pattern, "".join(happened).replace(" ", "")) is not None


def make_repository(folder: Path) -> Path:
    """A copy of the repository whose first start is over: its `.venv` borrows our packages."""
    root = folder / "aura-aio"
    root.mkdir()
    for name in (*_PARTS, *_ALSO):
        source = REPOSITORY / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("node_modules", "data")
            shutil.copytree(source, root / name, ignore=ignored)
        else:
            shutil.copy(source, root / name)
    venv.create(root / ".venv", symlinks=True)
    python = root / ".venv" / "bin" / "python"
    packages = next((root / ".venv" / "lib").glob("python*/site-packages"))
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "borrowed.pth").write_text("\n".join([str(root), *sorted(borrowed)]), "utf-8")
    aura = root / ".venv" / "bin" / "aura"
    aura.write_text(f"#!{python}\nfrom aura_aio.cli import main\n\nmain()\n", "utf-8")
    aura.chmod(0o755)
    stamp = (
        "import sys; sys.path.insert(0, 'scripts')\n"
        "from environment import SERVER as it\n"
        "(it.folder / 'aura-stamp').write_text(it.fingerprint(), 'utf-8')"
    )
    subprocess.run([sys.executable, "-c", stamp], cwd=root, check=True)
    return root
