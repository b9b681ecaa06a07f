"""Secrets that a server is started with, and the key that seals inputs in its store.

Imports pytest, aura_aio's settings and vault.
"""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from aura_aio.model.errors import SealBroken, SettingsError
from aura_aio.secret_files import take_secrets
from aura_aio.settings import WorkerSettings
from aura_aio.vault import KEY_FILE, open_vault

posix_only = pytest.mark.skipif(os.name != "posix", reason="files have a mode on POSIX only")


def secrets_file(folder: Path, text: str, mode: int = 0o600) -> WorkerSettings:
    path = folder / "secrets"
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return WorkerSettings(secrets_file=str(path))


def test_secrets_of_variables_are_taken_out_of_the_environment() -> None:
    environ = {"AURA_SECRET_TOKEN": "t", "AURA_SECRETS_FILE": "f", "AURA_PORT": "1", "PATH": "/"}
    assert take_secrets(WorkerSettings(), environ) == {"TOKEN": "t"}
    assert environ == {"AURA_SECRETS_FILE": "f", "AURA_PORT": "1", "PATH": "/"}


def test_the_token_of_commands_is_kept_from_what_a_server_starts() -> None:
    environ = {"AURA_TOKEN": "aura_x", "AURA_URL": "u"}
    assert take_secrets(WorkerSettings(), environ) == {}
    assert environ == {"AURA_URL": "u"}


def test_the_address_of_the_database_is_kept_from_what_a_server_starts() -> None:
    environ = {"AURA_DATABASE": "postgresql://me:word@db/aura", "AURA_DATA_DIR": "d"}
    assert take_secrets(WorkerSettings(), environ) == {}
    assert environ == {"AURA_DATA_DIR": "d"}


def test_a_file_has_a_line_for_each_and_variables_win(tmp_path: Path) -> None:
    text = '# comment\n\nA=1\n B = two words \nC=x=y\nA=later\nD=\nE="quoted"\n'
    settings = secrets_file(tmp_path, text)
    assert take_secrets(settings, {"AURA_SECRET_C": "variable"}) == {
        "A": "later",
        "B": "two words",
        "C": "variable",
        "D": "",
        "E": '"quoted"',
    }


@pytest.mark.parametrize("line", ["TOKEN", "1A=x", "=x", "A B=x", "export A=x"])
def test_a_line_that_is_none_is_told_by_its_number_and_not_shown(tmp_path: Path, line: str) -> None:
    settings = secrets_file(tmp_path, f"OK=1\n{line}\n")
    with pytest.raises(SettingsError, match="line 2: this is no NAME=value") as refusal:
        take_secrets(settings, {})
    assert line not in str(refusal.value)


def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        take_secrets(WorkerSettings(secrets_file=str(tmp_path / "none")), {})


@posix_only
@pytest.mark.parametrize(
    ("mode", "public"), [(0o600, False), (0o640, False), (0o604, True), (0o602, True)]
)
def test_a_file_that_everybody_can_get_at_is_refused(
    tmp_path: Path, mode: int, public: bool
) -> None:
    settings = secrets_file(tmp_path, "A=1\n", mode)
    if not public:
        assert take_secrets(settings, {}) == {"A": "1"}
        return
    with pytest.raises(SettingsError, match="chmod o="):
        take_secrets(settings, {})


def test_what_is_sealed_is_read_back_after_a_restart_and_by_nobody_else(tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    ours, theirs = open_vault(tmp_path / "ours"), open_vault(tmp_path / "theirs")
    sealed = ours.seal(b"hunter2")
    assert b"hunter2" not in sealed
    assert ours.seal(b"hunter2") != sealed
    assert open_vault(tmp_path / "ours").unseal(sealed) == b"hunter2"
    for vault, text in ((theirs, sealed), (ours, sealed[:-8] + b"AAAAAAA="), (ours, b"")):
        with pytest.raises(SealBroken, match=KEY_FILE):
            vault.unseal(text)


def test_a_digest_depends_on_the_content_and_the_key(tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    ours, theirs = open_vault(tmp_path / "ours"), open_vault(tmp_path / "theirs")
    assert ours.digest(b"a") == open_vault(tmp_path / "ours").digest(b"a")
    assert len({ours.digest(b"a"), ours.digest(b"b"), theirs.digest(b"a")}) == 3


@posix_only
def test_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    open_vault(tmp_path)
    key = tmp_path / KEY_FILE
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod o="):
        open_vault(tmp_path)


def test_a_key_that_is_none_stops_the_start_and_is_not_replaced(tmp_path: Path) -> None:
    key = tmp_path / KEY_FILE
    key.write_bytes(b"")
    key.chmod(0o600)
    with pytest.raises(SettingsError, match="holds no key"):
        open_vault(tmp_path)
    assert key.read_bytes() == b""


def test_cryptography_is_imported_by_the_first_seal(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from aura_aio.vault import open_vault\n"
        f"vault = open_vault(Path({str(tmp_path)!r})); vault.digest(b'x')\n"
        "assert 'cryptography' not in sys.modules\n"
        "vault.seal(b'x'); assert 'cryptography' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
