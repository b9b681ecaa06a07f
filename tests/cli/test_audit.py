"""`aura audit`: who has changed what.

Imports pytest and tests/cli/command.py.
"""

from pathlib import Path
from urllib.request import Request, urlopen

from tests.cli.command import Aura
from tests.cli.conftest import StartServer


def test_changes_are_listed_the_newest_first(start_server: StartServer, tmp_path: Path) -> None:
    aura = Aura(start_server().url, tmp_path)
    done = aura("audit")
    assert (done.code, done.out) == (0, "")
    assert "Nobody has changed anything" in done.err
    cid = aura.run("echo", "-i", "text=a")
    assert aura("cancel", cid).code == 1
    title, refused, started = aura.ok("audit").splitlines()
    assert title.split() == ["WHEN", "WHO", "OPERATION", "ABOUT", "OUTCOME"]
    assert refused.split()[-3:] == [cid, "refused", "run-finished"]
    assert "local (127.0.0.1)" in started
    assert started.split()[-3:] == ["runTask", cid, "done"]
    assert aura.ok("audit", "--operation", "runTask", "--run", cid).count("done") == 1
    assert aura("audit", "--by", "Ada").out == ""
    assert aura("audit", "--limit", "1", "--json").json["items"][0]["reason"] == "run-finished"


def test_what_changed_several_runs_tells_how_many(
    start_server: StartServer, tmp_path: Path
) -> None:
    url = start_server().url
    aura = Aura(url, tmp_path)
    for _ in range(2):
        aura.ok("run", "probe", "echo", "-i", "text=a", "--delay", "600")
    with urlopen(Request(f"{url}/api/queue/clear", method="DELETE")) as response:
        assert response.status == 200
    assert "clearQueue  2 runs" in aura.ok("audit", "--operation", "clearQueue")
