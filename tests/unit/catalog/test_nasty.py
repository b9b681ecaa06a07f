"""Files that nobody should write: each is a load error, soon, and nothing else is lost.

Imports pytest, msgspec, and aura_aio's catalog and model.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from aura_aio.catalog.catalog import load_catalog
from aura_aio.catalog.files import MAX_DEPTH, MAX_FILES
from aura_aio.catalog.place import MAX_FAULTS
from aura_aio.model.plan import LoadError

STEPS = "steps: {a: {action: log, params: {message: x}}}\n"
MIB = 1024 * 1024
KIB = 1024

pytestmark = pytest.mark.timeout(60)
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs the files of POSIX")


def faults(folder: Path, expected: int | None = 1) -> list[LoadError]:
    """What is wrong with the plan in `folder`, which has a good task beside what is nasty."""
    (folder / "tasks").mkdir(parents=True, exist_ok=True)
    (folder / "tasks" / "good.yaml").write_text(STEPS)
    catalog = load_catalog([folder.parent])
    plan = catalog.plan(folder.name)
    assert "good" in plan.tasks
    msgspec.json.encode(plan)  # what clients are told must be JSON, whatever the files hold
    assert expected is None or len(plan.errors) == expected, plan.errors
    return list(plan.errors)


def task(folder: Path, text: str | bytes, name: str = "nasty.yaml") -> Path:
    path = folder / "tasks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def step(value: str) -> str:
    return f"steps: {{a: {{action: set, params: {{x: {value}}}}}}}\n"


def bomb(levels: int, width: int) -> str:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


def merges(width: int) -> str:
    base = "a: &a {" + ", ".join(f"k{n}: 1" for n in range(width)) + "}\n"
    return base + "".join(f"b{n}: {{<<: [{', '.join(['*a'] * width)}]}}\n" for n in range(width))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (bomb(20, 10), "With its aliases written out this holds more than 100,000 values"),
        (merges(300), "more than 100,000 values"),
        ("#" * 10 * MIB, "It is longer than 1,048,576 bytes"),
        ("[" + "1," * (500 * KIB) + "1]", "more than 100,000 values"),
        ("- a\n" * (250 * KIB), "more than 100,000 values"),
        ("[" * MIB, "deeper than 64"),
        ("{a: " * (250 * KIB), "deeper than 64"),
        ("- " * (500 * KIB), "deeper than 64"),
        ("".join(" " * n + "a:\n" for n in range(1400)), "deeper than 64"),
        ('a: "' + "x\n " * (300 * KIB), "the quote that opens here is never closed"),
        ("a: " + "1" * (900 * KIB), "1,000 digits"),
        ("? " * (500 * KIB), "A key must be plain text"),
        ("\t" * MIB, "a tab stands here"),
        ("*a " * (300 * KIB), "no anchor &a"),
        (b"steps: \xff", "It is no UTF-8 text (byte 7)"),
        (b"\xff\xfes\0t\0", "NUL"),
        (b"steps: \0", "NUL"),
        ("steps: \x1b[31m", "The character '\\x1b' is not allowed"),
        (step('"\\ud800"'), "a backslash in double quotes"),
        (step("0x" + "f" * 5000), "1,000 digits"),
        (step("1e999"), "JSON"),
        (step('"{{ ' + "(" * 2000 + "1" + ")" * 2000 + ' }}"'), "nested too deeply"),
        (step('"{{ 1' + "+1" * 2400 + ' }}"'), "nested too deeply"),
        (step('"{{ ' + "(" * 20_000 + "1" + ")" * 20_000 + ' }}"'), "it is too long"),
        (step('"{{ ' + "9" * 5000 + ' }}"'), "too many digits"),
        (
            f'meta: {{inputs: [{{name: x, pattern: "{"(" * 5000}{")" * 5000}"}}]}}\n{STEPS}',
            "deeply",
        ),
        (f'meta: {{inputs: [{{name: x, pattern: "a{{4294967296}}"}}]}}\n{STEPS}', "100,000 times"),
        (
            f'meta: {{inputs: [{{name: x, pattern: "((a{{99}}){{99}}){{,99}}"}}]}}\n{STEPS}',
            "100,000 times",
        ),
        (
            f'meta: {{inputs: [{{name: x, type: "{"list<" * 5000}any{">" * 5000}"}}]}}\n{STEPS}',
            "Lists may be nested 16 deep",
        ),
        (f"? {'a' * 100_000}\n: {STEPS}", "A task cannot be called"),
        (f"steps: {{a: {{action: {'a' * 500_000}}}}}", "There is no action 'aaa"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 60 else "",
)
def test_a_nasty_document_is_one_load_error(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    task(tmp_path / "p", text)
    (error,) = faults(tmp_path / "p")
    assert error.file == "tasks/nasty.yaml"
    assert message in error.message
    assert len(error.message) < 1100
    assert error.path is None or len(error.path) < 400


@pytest.mark.parametrize(
    "text",
    [
        "steps:\n" + "".join(f"  a{n}: {{action: log, depends_on: b{n}}}\n" for n in range(9000)),
        "steps:\n" + "".join(f"  a{n}: {{actoin: log}}\n" for n in range(9000)),
        "meta:\n  inputs:\n" + "  - {name: a}\n" * 9000 + STEPS,
        "steps:\n  a:\n    action: log\n    params:\n" + "".join(
            f"      p{n}: '{{{{ inputs.x{n} }}}}'\n" for n in range(10_000)
        ),
    ],
    ids=["dependencies", "keys", "inputs", "templates"],
)  # fmt: skip
def test_what_is_wrong_throughout_is_told_so_far(tmp_path: Path, text: str) -> None:
    task(tmp_path / "p", text)
    errors = faults(tmp_path / "p", MAX_FAULTS + 1)
    message = f"More is wrong from here on: mend the first {MAX_FAULTS} faults."
    assert [error.message == message for error in errors] == [False] * MAX_FAULTS + [True]
    assert errors[-1].line is not None


def test_many_broken_tasks_in_one_file_hide_no_good_one(tmp_path: Path) -> None:
    broken = "".join(f"b{n}: {{steps: {{a: {{action: lgo}}}}}}\n" for n in range(2000))
    task(
        tmp_path / "p", f"first: {{{STEPS.strip()}}}\n{broken}last: {{{STEPS.strip()}}}\n", "m.yaml"
    )
    assert len(faults(tmp_path / "p", None)) == 1001
    plan = load_catalog([tmp_path]).plan("p")
    assert sorted(plan.tasks) == ["good", "m/first", "m/last"]


@pytest.mark.parametrize(
    "text",
    [
        "steps:\n  a0: {action: set}\n" + "".join(
            f"  a{n}: {{action: set, depends_on: a{n - 1}}}\n" for n in range(1, 9000)
        ),
        "meta:\n  inputs:\n" + "".join(f"  - {{name: a{n}}}\n" for n in range(9000)) + STEPS,
        step('"' + "{{ run.cid }}" * 600 + '"'),
    ],
    ids=["chain", "inputs", "templates"],
)  # fmt: skip
def test_what_is_long_but_right_loads(tmp_path: Path, text: str) -> None:
    task(tmp_path / "p", text)
    assert faults(tmp_path / "p", 0) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = " + "-" * 200_000 + "1\n", "nested too deeply"),
        ("x = a" + ".b" * 200_000 + "\n", "nested too deeply"),
        ("@action(name={[]: 1})\ndef f(): ...\n", "'name' must be written out"),
        ("@action(timeout=1e999)\ndef f(): ...\n", "The timeout is no number of seconds"),
        ("@action(timeout=0x" + "f" * 5000 + ")\ndef f(): ...\n", "The timeout is no number"),
        ("def f(:\n", "This is no Python: invalid syntax"),
        ("x = 1\n\0", "NUL"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 60 else "",
)
def test_nasty_python_is_one_load_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "actions.py").write_text(text)
    (error,) = faults(tmp_path / "p")
    assert (error.file, message in error.message) == ("actions.py", True)


def test_a_docstring_may_hold_what_utf8_cannot(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "actions.py").write_text('@action\ndef f():\n    "\\ud800"\n')
    assert faults(tmp_path / "p", 0) == []
    assert load_catalog([tmp_path]).plan("p").actions["f"].doc == "\\ud800"


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("exports: {actions: [{name: a, module: " + "a" * 300 + ", function: f}]}", "no module"),
        ('exports: {actions: [{name: a, module: "a\\0", function: f}]}', "no module"),
        (f"task_paths: [tasks, {'a' * 300}]", "There is no folder"),
        ('task_paths: [tasks, "a\\0b"]', "There is no folder"),
        ("task_paths: [tasks, tsks]", "There is no folder 'tsks' in the plan"),
        ("task_paths: [tasks, .]", "'.' is no folder of the plan"),
        ("task_paths: [tasks, tasks/../..]", "is no folder of the plan"),
    ],
)
def test_a_manifest_names_only_what_is_there(tmp_path: Path, manifest: str, message: str) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "manifest.yaml").write_text(manifest)
    (error,) = faults(tmp_path / "p")
    assert (error.file, message in error.message) == ("manifest.yaml", True)


def test_a_folder_of_tasks_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "manifest.yaml").write_text("task_paths: [tasks, ./tasks/]")
    assert faults(tmp_path / "p", 0) == []


def _ring(plan: Path) -> str:
    (plan / "tasks" / "ring.yaml").symlink_to("ring.yaml")
    return "tasks/ring.yaml: It is a link that leads to itself."


def _into_itself(plan: Path) -> str:
    (plan / "tasks" / "deeper").symlink_to(plan / "tasks")
    return "tasks/deeper: It is no file. Links to folders are not followed."


def _out(plan: Path) -> str:
    (plan / "tasks" / "out").symlink_to("/")
    return "tasks/out: It is a link that leaves the plan's folder."


def _actions_out(plan: Path) -> str:
    (plan / "actions").symlink_to("/")
    return "actions: It is a link that leaves the plan's folder."


def _python_out(plan: Path) -> str:
    (plan / "actions.py").symlink_to(os.__file__)
    return "actions.py: It is a link that leaves the plan's folder."


def _manifest_to_nothing(plan: Path) -> str:
    (plan / "manifest.yaml").symlink_to("nothing.yaml")
    return "manifest.yaml: It cannot be read: No such file or directory."


def _device(plan: Path) -> str:
    (plan / "tasks" / "zero.yaml").symlink_to("/dev/zero")
    return "tasks/zero.yaml: It is a link that leaves the plan's folder."


def _pipe(plan: Path) -> str:
    os.mkfifo(plan / "tasks" / "pipe.yaml")
    return "tasks/pipe.yaml: It is no file. Links to folders are not followed."


def _pipe_as_manifest(plan: Path) -> str:
    os.mkfifo(plan / "manifest.yaml")
    return "manifest.yaml: It is no file. Links to folders are not followed."


def _name_of_bytes(plan: Path) -> str:
    (plan / "tasks" / os.fsdecode(b"\xff.yaml")).write_text(STEPS)
    return "tasks/\\xff.yaml: Its name is no UTF-8 text: rename it."


def _folder_of_bytes(plan: Path) -> str:
    (plan / "tasks" / os.fsdecode(b"\xff")).mkdir()
    return "tasks/\\xff: Its name is no UTF-8 text: rename it."


def _deep_folders(plan: Path) -> str:
    (plan / "tasks" / "/".join(["d"] * 200)).mkdir(parents=True)
    return f"tasks{'/d' * MAX_DEPTH}: Folders are nested deeper than {MAX_DEPTH} levels."


def _many_files(plan: Path) -> str:
    folder = plan / "tasks" / "many"
    folder.mkdir()
    for number in range(MAX_FILES):
        os.symlink("nothing", folder / f"{number}.txt")
    return f"tasks: There are more than {MAX_FILES:,} files in it."


@posix_only
@pytest.mark.parametrize(
    "make",
    [
        _ring, _into_itself, _out, _actions_out, _python_out, _manifest_to_nothing, _device,
        _pipe, _pipe_as_manifest, _name_of_bytes, _folder_of_bytes, _deep_folders, _many_files,
    ],
)  # fmt: skip
def test_files_that_are_none_are_one_load_error(
    tmp_path: Path, make: Callable[[Path], str]
) -> None:
    (tmp_path / "p" / "tasks").mkdir(parents=True)
    expected = make(tmp_path / "p")
    (error,) = faults(tmp_path / "p")
    assert f"{error.file}: {error.message}" == expected
    assert (error.line, error.path) == (None, None)


@posix_only
def test_tasks_that_are_elsewhere_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "plans" / "p").mkdir(parents=True)
    (tmp_path / "plans" / "p" / "tasks").symlink_to("/")
    plan = load_catalog([tmp_path / "plans"]).plan("p")
    assert plan.tasks == {}
    assert plan.errors == (
        LoadError(file="tasks", message="It is a link that leaves the plan's folder."),
    )


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="the superuser may read")
def test_what_may_not_be_read_is_one_load_error(tmp_path: Path) -> None:
    file = task(tmp_path / "p", STEPS)
    folder = tmp_path / "p" / "tasks" / "closed"
    folder.mkdir()
    file.chmod(0)
    folder.chmod(0)
    errors = faults(tmp_path / "p", 2)
    folder.chmod(0o700)
    assert {f"{error.file}: {error.message}" for error in errors} == {
        "tasks/nasty.yaml: It cannot be read: Permission denied.",
        "tasks/closed: It cannot be read: Permission denied.",
    }


@posix_only
def test_folders_of_plans_that_cannot_be_plans_are_errors_of_the_catalog(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff") / "tasks").mkdir(parents=True)
    (tmp_path / "ring").symlink_to("ring")
    (tmp_path / "file").write_text("")
    catalog = load_catalog([tmp_path, tmp_path / "file"])
    assert catalog.plans == {}
    assert [f"{error.file}: {error.message}" for error in catalog.errors] == [
        f"{tmp_path}/\\xff: The name of this folder is no UTF-8 text: rename it.",
        f"{tmp_path}/file: This folder of plans cannot be read: Not a directory.",
    ]
