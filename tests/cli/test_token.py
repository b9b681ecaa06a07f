"""`aura token`, `--token`, and a server that asks for tokens.

Imports pytest and tests/cli/command.py.
"""

import re
import signal
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.cli.command import Aura, Started, environment
from tests.cli.conftest import StartServer

EVERYWHERE = "0.0.0.0"
SECRET = re.compile(r"aura_[0-9a-f]{64}")


@pytest.fixture
def nowhere(tmp_path: Path) -> Aura:
    """`aura` where no server is."""
    return Aura("http://127.0.0.1:1", tmp_path)


def _make(aura: Aura, *words: str) -> str:
    """A token that is made in the database of the working directory; only it is on stdout."""
    done = aura("token", "create", *words, AURA_URL=None)
    assert done.code == 0, done
    secret = done.out.strip()
    assert SECRET.fullmatch(secret)
    return secret


def test_the_first_token_needs_no_server(nowhere: Aura, tmp_path: Path) -> None:
    _make(nowhere, "--scope", "admin", "--name", "Ada")
    _make(nowhere, "--scope", "read", "--plan", "a", "--plan", "b", "--expires-in", "30d")
    listed = nowhere("token", "list", "--json", AURA_URL=None)
    first, second = listed.json["items"]
    assert (first["scope"], first["name"]) == ("admin", "Ada")
    assert "expires_at" not in first
    assert "plans" not in first
    assert (second["scope"], second["plans"]) == ("read", ["a", "b"])
    assert second["expires_at"] > second["created_at"]
    assert (tmp_path / ".aura" / "aura.db").is_file()
    revoked = nowhere("token", "revoke", first["id"], "--json", AURA_URL=None)
    assert "revoked_at" in revoked.json
    table = nowhere("token", AURA_URL=None).out
    assert re.search(r"admin +Ada +all .* revoked", table)
    assert re.search(r"read +- +a, b ", table)
    assert not SECRET.search(table + listed.out + revoked.out)


def test_the_first_token_and_the_last_admins_end_are_told(nowhere: Aura) -> None:
    first = nowhere("token", "create", "--scope", "admin", AURA_URL=None)
    assert "from now on every request to the server needs one" in first.err
    second = nowhere("token", "create", "--scope", "admin", AURA_URL=None)
    assert "from now on" not in second.err
    _make(nowhere, "--scope", "run")
    items = nowhere("token", "list", "--json", AURA_URL=None).json["items"]
    one, other = (each["id"] for each in items if each["scope"] == "admin")
    assert nowhere("token", "revoke", one, AURA_URL=None).err == ""
    last = nowhere("token", "revoke", other, AURA_URL=None)
    assert "That was the last admin token" in last.err
    assert last.out.startswith("revoked")
    assert nowhere("token", "revoke", other, AURA_URL=None).err == ""


def test_what_a_token_can_not_be(nowhere: Aura) -> None:
    assert nowhere("token", "create", AURA_URL=None).code == 2
    assert nowhere("token", "create", "--scope", "root", AURA_URL=None).code == 2
    wrong = nowhere("token", "create", "--scope", "run", "--expires-in", "soon", AURA_URL=None)
    assert (wrong.code, "30d" in wrong.err) == (2, True)


def test_without_a_database_nothing_is_made_up(nowhere: Aura, tmp_path: Path) -> None:
    done = nowhere("token", "list", AURA_URL=None)
    assert (done.code, done.out) == (1, "")
    assert "There is no database" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_token_that_is_not_there(nowhere: Aura) -> None:
    _make(nowhere, "--scope", "admin")
    done = nowhere("token", "revoke", "nobody", AURA_URL=None)
    assert (done.code, done.err.splitlines()[-1]) == (
        1,
        "Error: There is no token with the id 'nobody'.",
    )


def test_while_a_server_has_the_database_it_is_asked(
    start_server: StartServer, tmp_path: Path
) -> None:
    admin = _make(Aura("", tmp_path), "--scope", "admin")
    server = start_server()
    aura = Aura("", tmp_path, {"AURA_DATA_DIR": ".aura"})
    in_use = aura("token", "list", AURA_URL=None)
    assert "asked of the server at http://127.0.0.1:18098" in in_use.err
    by_address = Aura(server.url, tmp_path)
    refused = by_address("token", "create", "--scope", "run")
    assert (refused.code, refused.out) == (1, "")
    assert "This server asks for a token" in refused.err
    assert "stop the server, make it with aura token create" in refused.err
    assert "--token" in refused.err
    made = by_address("token", "create", "--scope", "run", AURA_TOKEN=admin)
    assert SECRET.fullmatch(made.out.strip())
    assert by_address("runs", "--token", made.out.strip()).code == 0
    ids = [each["id"] for each in by_address("token", "--json", AURA_TOKEN=admin).json["items"]]
    assert by_address("token", "revoke", ids[1], AURA_TOKEN=admin).code == 0
    revoked = by_address("runs", AURA_TOKEN=made.out.strip())
    assert (revoked.code, "revoked" in revoked.err) == (1, True)


def test_every_command_shows_the_token(start_server: StartServer, tmp_path: Path) -> None:
    admin = _make(Aura("", tmp_path), "--scope", "admin")
    server = start_server()
    aura = Aura(server.url, tmp_path)
    for words in (["runs"], ["plans"], ["queue"], ["system"], ["logs"], ["runs", "show", "x"]):
        assert "asks for a token" in aura(*words).err, words
        assert "asks for a token" not in aura(*words, "--token", admin).err, words
    (tmp_path / "aura.toml").write_text(f'[client]\ntoken = "{admin}"\n', "utf-8")
    done = aura("run", "probe", "echo", "-i", "text=hi", "--wait")
    assert done.code == 0, done
    assert "hi" in done.err


def test_a_scope_that_is_missing_is_named(start_server: StartServer, tmp_path: Path) -> None:
    read = _make(Aura("", tmp_path), "--scope", "read")
    aura = Aura(start_server().url, tmp_path, {"AURA_TOKEN": read})
    assert aura("runs").code == 0
    done = aura("system", "stop")
    assert (done.code, done.err) == (
        1,
        "Error: This needs a token with the scope admin; this one has the scope read.\n",
    )


def test_config_does_not_show_the_token(nowhere: Aura) -> None:
    secret = "aura_" + 64 * "7"
    for words in (["config"], ["config", "--json"]):
        shown = nowhere(*words, AURA_TOKEN=secret).out
        assert "AURA_TOKEN" in shown
        assert secret not in shown
    assert nowhere("config", "--json").json["token"] == {"value": "", "source": "default"}


def test_an_open_address_without_tokens_is_refused(nowhere: Aura, tmp_path: Path) -> None:
    for words in (
        ["--host", EVERYWHERE],
        ["--require-token", "always"],
        ["--allowed-hosts", "aura.example.org"],
    ):
        done = nowhere("serve", "--port", "0", "--data-dir", "my data", *words)
        assert (done.code, done.out) == (1, ""), words
        line = done.err.splitlines()[-1]
        assert line.endswith("aura token create --scope admin --data-dir 'my data'"), words
    never = nowhere("serve", "--port", "0", "--host", EVERYWHERE, "--require-token", "never")
    assert (never.code, "loopback" in never.err) == (1, True)


def test_an_open_address_with_a_token_is_served(nowhere: Aura, tmp_path: Path, plans: Path) -> None:
    admin = _make(nowhere, "--scope", "admin")
    words = ["serve", "--host", EVERYWHERE, "--port", "0", "--workers", "0", "--plans", str(plans)]
    with Started(*words, cwd=tmp_path, env=environment()) as server:
        server.says("with a token in AURA_TOKEN:")
        port = re.search(r"http://0\.0\.0\.0:(\d+)/", server.out)
        assert port is not None
        aura = Aura(f"http://127.0.0.1:{port[1]}", tmp_path)
        assert "asks for a token" in aura("runs").err
        assert aura("runs", AURA_TOKEN=admin).code == 0
        with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/healthz") as response:
            assert response.status == 200
        if sys.platform != "win32":
            server.process.send_signal(signal.SIGTERM)
            assert server.code() == 0
        assert admin not in server.out + server.err
