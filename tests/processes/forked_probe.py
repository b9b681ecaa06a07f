"""A process that does, and tells, what it is asked for on its standard input.

Imports the standard library, and `begin` of aura_aio's processes.
"""

import gc
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from aura_aio.processes.tree import begin, close


def main() -> None:
    """Answer each line with one, to the end of the input."""
    close(begin())
    for line in sys.stdin:
        sys.stdout.write(f"{_answer(line.strip())}\n")
        sys.stdout.flush()


def _answer(word: str) -> str | int:
    match word:
        case "describe":
            return json.dumps(_described())
        case "limits":
            score = Path("/proc/self/oom_score_adj").read_text()
            data = resource.getrlimit(resource.RLIMIT_DATA)
            return json.dumps({"data": data, "oom_score_adj": int(score)})
        case "leave a program":
            sleeper = [sys.executable, "-c", "import signal; signal.pause()"]
            return subprocess.Popen(sleeper, stdout=subprocess.DEVNULL).pid
        case "raise":
            raise LookupError("as wanted")
        case "segv":
            signal.signal(signal.SIGSEGV, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            sys.exit()
        case "exit 3":
            sys.exit(3)
        case _:
            return "held"
    raise AssertionError("a word that ends the process did not")


def _described() -> dict[str, object]:
    """What an action can see of how its process came about."""
    kinds = []
    for name in sorted(os.listdir("/proc/self/fd"), key=int):
        try:
            kinds.append(os.readlink(f"/proc/self/fd/{name}").partition(":")[0])
        except FileNotFoundError:  # that of the listing itself
            continue
    return {
        "collects garbage": gc.isenabled(),
        "pid": os.getpid(),
        "parent": os.getppid(),
        "leads a session": os.getsid(0) == os.getpid(),
        "folder": os.getcwd(),
        "arguments": sys.argv[1:],
        "called": " ".join(Path("/proc/self/cmdline").read_text().replace("\0", " ").split()[:3]),
        "descriptors": kinds,
        "term": str(signal.getsignal(signal.SIGTERM)),
        "int": str(signal.getsignal(signal.SIGINT)),
    }


if __name__ == "__main__":
    main()
