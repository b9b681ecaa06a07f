"""`aura serve` and `aura config`: settings, the start, and the end.

Imports pytest and tests/cli/command.py.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from aura_aio.settings_table import Setting, settings_table
from tests.aura_forks import AURA
from tests.cli.command import Aura, Done, Started, environment
from tests.cli.conftest import StartServer

SERVER_SETTINGS = [each for each in settings_table() if each.branch != "client"]


def test_the_first_lines_say_where_everything_is(plans: Path, tmp_path: Path) -> None:
    words = ["serve", "--port", "0", "--workers", "1", "--plans", str(plans)]
    with Started(*words, cwd=tmp_path, env=environment()) as command:
        command.says("Ctrl-C stops the server")
        places = dict(re.findall(r"^  (\w[\w ]+?)  +(\S+)$", command.out, re.MULTILINE))
        url = places["Dashboard"].removesuffix("/")
        assert places == {
            "Dashboard": f"{url}/",
            "API docs": f"{url}/docs",
            "Contract": f"{url}/openapi.yaml",
            "Log stream": f"{url.replace('http', 'ws')}/ws/logs",
        }
        for page in (f"{url}/", f"{url}/docs", f"{url}/openapi.yaml"):
            with urllib.request.urlopen(page) as response:
                assert response.status == 200
        assert "See which plans there are:\n  aura plans\n" in command.out
        command.interrupt()
        assert command.code() == 0
        assert "Traceback" not in command.err
    assert " WARN  aura.scheduler.plans  load error" in command.err
    assert "place=broken/tasks/bad.yaml:3:13  reason=" in command.err
    log = re.compile(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (DEBUG|INFO |WARN |ERROR|CRIT ) aura\."
    )
    assert command.err
    assert all(log.match(line) for line in command.err.splitlines()), command.err


def test_a_folder_of_plans_that_is_missing_or_empty_is_told(tmp_path: Path) -> None:
    words = ["serve", "--port", "0", "--workers", "1", "--plans", "nowhere"]
    with Started(*words, cwd=tmp_path, env=environment()) as command:
        command.says("Ctrl-C stops the server")
        assert "There are no plans yet. Make one:\n  aura plans new NAME\n" in command.out
        assert 'nowhere  reason="There is no such folder of plans."' in command.err


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_ctrl_c_while_workers_come_up_is_a_quiet_end(tmp_path: Path, plans: Path) -> None:
    words = ["serve", "--port", "0", "--workers", "2", "--plans", str(plans)]
    with subprocess.Popen(
        [*AURA, *words],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a terminal sends its Ctrl-C to all processes of a group
    ) as server:
        assert server.stdout is not None
        assert any("Ctrl-C" in line for line in server.stdout)
        os.killpg(server.pid, signal.SIGINT)
        _, errors = server.communicate(timeout=30)
    assert server.returncode == 0
    assert "Traceback" not in errors
    assert "WARN  aura.dispatch" not in errors


@pytest.mark.skipif(sys.platform == "win32", reason="the line is written for a POSIX shell there")
def test_the_curl_line_runs_as_it_is_printed(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    examples = Path(__file__).resolve().parents[2] / "plans"
    words = ["serve", "--port", "0", "--workers", "1", "--plans", str(examples)]
    with Started(*words, cwd=tmp_path, env=environment()) as command:
        command.says("Ctrl-C stops the server")
        line = next(line for line in command.out.splitlines() if line.startswith("  curl "))
        done = subprocess.run(["sh", "-c", line], capture_output=True, check=True, timeout=30)
        cid = json.loads(done.stdout)["cid"]
        url = re.search(r"http://\S+?:\d+", line)
        assert url is not None
        aura = Aura(url[0], tmp_path)
        shown = aura("runs", "show", cid, "--wait-sec", "20", "--json").json
        assert "Ada" in json.dumps(shown["result"])


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
def test_sigterm_ends_it_with_code_0(start_server: StartServer) -> None:
    assert start_server().stop() == 0


def test_json_says_where_it_is(start_server: StartServer) -> None:
    server = start_server()
    assert server.places == {
        "url": server.url,
        "dashboard": f"{server.url}/",
        "docs": f"{server.url}/docs",
        "contract": f"{server.url}/openapi.yaml",
        "log_stream": f"{server.url.replace('http', 'ws')}/ws/logs",
    }


def test_no_start_leaves_runs_waiting(start_server: StartServer, tmp_path: Path) -> None:
    aura = Aura(start_server("--no-start").url, tmp_path)
    assert aura("system", "status", "--json").json["state"] == "stopped"


def refused(done: Done) -> str:
    """The one line that a server has to say which cannot start; log lines may stand before it."""
    assert (done.code, done.out) == (1, ""), done
    assert "Traceback" not in done.err
    line = done.err.splitlines()[-1]
    assert line.startswith("Error: "), done.err
    return line


def test_a_start_with_wrong_settings_says_why_in_one_line(tmp_path: Path) -> None:
    aura = Aura("", tmp_path)
    assert "AURA_WORKERS" in refused(aura("serve", AURA_WORKERS="many"))
    assert "nothing.toml" in refused(aura("serve", "--config", "nothing.toml"))
    assert "aura token create" in refused(aura.process("serve", "--host", "0.0.0.0"))
    (tmp_path / "aura.toml").write_text("[http]\nprot = 1\n", "utf-8")
    assert "'prot'" in refused(aura("serve"))


def test_a_start_beside_another_server_says_why_in_one_line(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server()
    aura = Aura("", tmp_path)
    assert "Another server has the database" in refused(aura.process("serve", "--port", "0"))
    port = server.url.rpartition(":")[2]
    words = ["serve", "--workers", "1", "--data-dir", "other"]
    said = refused(aura.process(*words, "--plans", "none", "--port", port))
    assert f"127.0.0.1:{port} is in use" in said


def test_a_flag_that_is_out_of_bounds_is_code_2(tmp_path: Path) -> None:
    done = Aura("http://127.0.0.1:1", tmp_path)("serve", "--port", "99999")
    assert done.code == 2
    assert "--port" in done.err


@pytest.mark.parametrize("each", SERVER_SETTINGS, ids=lambda each: each.name)
def test_every_setting_is_a_flag_that_wins(each: Setting, tmp_path: Path) -> None:
    aura = Aura("http://127.0.0.1:1", tmp_path)
    value: object
    if isinstance(each.default, bool):
        words, value = [f"--no-{each.flag[2:]}"], False
    elif isinstance(each.default, tuple):
        words, value = [each.flag, "a", each.flag, "b"], ["a", "b"]
    elif isinstance(each.default, int | float):
        value = each.default - 1 if each.default >= 100 else each.default + 1  # within its bounds
        words = [each.flag, str(value)]
    else:
        words_of = {"log_level": "debug", "log_format": "json", "require_token": "never"}
        words_of |= {"health_address": "127.0.0.2:8081", "dispatcher": "procrastinate"}
        value = words_of.get(each.name, "127.0.0.2")
        words = [each.flag, value]
    found = aura("config", *words, "--json", **{each.variable: "1"})
    shown = "(hidden)" if each.is_secret else value
    assert found.json[each.name] == {"value": shown, "source": each.flag}


def test_config_says_where_each_value_comes_from(tmp_path: Path) -> None:
    (tmp_path / "aura.toml").write_text("[http]\nport = 5\n\n[workers]\nslots = 3\n", "utf-8")
    (tmp_path / "other.toml").write_text("[http]\nport = 6\n", "utf-8")
    aura = Aura("http://127.0.0.1:1", tmp_path)
    rows = {line.split()[0]: line.split()[1:] for line in aura.ok("config").splitlines()}
    assert rows["http.port"] == ["5", "[http]", "port", "in", "the", "settings", "file"]
    assert rows["client.url"] == ["http://127.0.0.1:1", "AURA_URL"]
    assert rows["http.host"] == ["127.0.0.1", "default"]
    found = aura("config", "--config", "other.toml", "--json", AURA_SLOTS="4").json
    assert found["port"]["value"] == 6
    assert found["slots"] == {"value": 4, "source": "AURA_SLOTS"}


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
def test_a_second_signal_ends_at_once(plans: Path, tmp_path: Path) -> None:
    words = ["serve", "--json", "--port", "0", "--workers", "1", "--plans", str(plans)]
    grace = ["--shutdown-grace-sec", "60"]
    with Started(*words, *grace, cwd=tmp_path, env=environment()) as command:
        command.says("}\n")
        aura = Aura(json.loads(command.out)["url"], tmp_path)
        aura.ok("run", "probe", "deep/hold", "-i", "until=/nonexistent/file")
        with aura.started("logs", "-f", "--tail", "100") as log:
            log.says("holding")
        command.process.send_signal(signal.SIGTERM)
        command.says("shutting down")
        command.process.send_signal(signal.SIGTERM)
        assert command.code(within=5) == 1
