"""The files of docs/how-to/deploy.md: what they name exists, and their figures fit together.

Imports PyYAML, pytest, the commands and settings of aura_aio, and tests/docs/pages.py.
"""

import re
import shlex
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from aura_aio import callback_key, vault
from aura_aio.api import metrics
from aura_aio.cli.aura import aura
from aura_aio.settings import Settings
from aura_aio.settings_table import settings_table
from tests.docs.pages import REPOSITORY, Page

GUIDE = REPOSITORY / "docs" / "how-to" / "deploy.md"
FOLDER = GUIDE.with_suffix("")
FILES = sorted(FOLDER.iterdir())
VARIABLES = {each.variable for each in settings_table()}
FORCE_SEC = Settings().http.shutdown_force_sec
PORT = Settings().http.port


def text(name: str) -> str:
    """What is in a file."""
    return (FOLDER / name).read_text("utf-8")


def documents(name: str) -> list[Any]:
    """What a file of YAML says."""
    return list(yaml.safe_load_all(text(name)))


def unit() -> RawConfigParser:
    """The unit, with the later of several lines of a name."""
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text("aura.service").replace("\\\n", " "))
    return parser


def of_kind(kind: str, name: str | None = None) -> Any:
    """The object of a kind, and of a name where there are several, among those for Kubernetes."""
    found = [each for each in documents("kubernetes.yaml") if each["kind"] == kind]
    (one,) = [each for each in found if name is None or each["metadata"]["name"] == name]
    return one


def pod(name: str = "aura") -> Any:
    """What a pod is like: a server, or a host of workers."""
    return of_kind("Deployment", name)["spec"]["template"]["spec"]


def commands() -> Iterator[list[str]]:
    """Every command line of `aura` without its first word, in files and guide."""
    yield shlex.split(unit()["Service"]["ExecStart"])[1:]
    for name in ("server", "worker"):
        yield documents("compose.yaml")[0]["services"][name]["command"]
    for name in ("aura", "aura-worker"):
        yield pod(name)["containers"][0]["args"]
    (line,) = re.findall(r"^CMD (.*)$", text("Dockerfile"), re.M)
    yield yaml.safe_load(line)
    for block in Page(GUIDE).blocks:
        for line in block.text.replace("\\\n", " ").splitlines():
            if match := re.search(
                r"^aura (.*)|bin/aura (.*)|run --rm server (.*)|image \S+ .* -- (.*)", line
            ):
                yield shlex.split(next(each for each in match.groups() if each), comments=True)


COMMANDS = list(commands())


def test_every_command_line_is_understood() -> None:
    assert len(COMMANDS) >= 9
    assert [words[0] for words in COMMANDS].count("worker") == 3
    for words in COMMANDS:
        command: click.Command = aura
        rest = list(words)
        while isinstance(command, click.Group):
            found = command.get_command(click.Context(command), rest[0])
            assert found is not None, words
            command, rest = found, rest[1:]
        assert command.make_context("aura", rest, resilient_parsing=False).params, words


def given(words: list[str], option: str) -> float:
    """The number that an option has in a command line."""
    found = re.search(rf"{option}[= ]([\d.]+)", " ".join(words))
    assert found is not None, words
    return float(found[1])


def seconds(span: str) -> float:
    """45s, or a number of seconds."""
    return float(span.removesuffix("s"))


def test_who_ends_a_server_or_a_host_waits_for_its_end() -> None:
    service = unit()["Service"]
    ends = [(shlex.split(service["ExecStart"]), seconds(service["TimeoutStopSec"]))]
    for name in ("server", "worker"):
        compose = documents("compose.yaml")[0]["services"][name]
        ends.append((compose["command"], seconds(compose["stop_grace_period"])))
    for name in ("aura", "aura-worker"):
        (container,) = pod(name)["containers"]
        wait = pod(name)["terminationGracePeriodSeconds"]
        if "lifecycle" in container:
            wait -= float(container["lifecycle"]["preStop"]["exec"]["command"][1])
        ends.append((container["args"], wait))
    for words, wait in ends:
        assert given(words, "--shutdown-grace-sec") + FORCE_SEC < wait, words


def test_a_proxy_waits_longer_than_a_request_may_and_lets_go_earlier_than_the_server() -> None:
    nginx = text("nginx.conf")
    assert nginx.count("{") == nginx.count("}")
    (read,) = re.findall(r"proxy_read_timeout (\d+)s;", nginx)
    (kept,) = re.findall(r"keepalive_timeout (\d+)s;", nginx)
    (size,) = re.findall(r"client_max_body_size (\d+)m;", nginx)
    ingress = of_kind("Ingress")["metadata"]["annotations"]
    assert int(read) > 55
    assert int(ingress["nginx.ingress.kubernetes.io/proxy-read-timeout"]) > 55
    assert ingress["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
    assert float(kept) < Settings().http.idle_timeout_sec
    assert int(size) * 1024 * 1024 == Settings().http.max_body_bytes
    assert "proxy_buffering off;" in nginx
    assert "proxy_set_header Upgrade $http_upgrade;" in nginx


def test_everybody_means_the_same_port_name_and_paths() -> None:
    (container,) = pod()["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": PORT}]
    assert f"EXPOSE {PORT}" in text("Dockerfile")
    assert f"server 127.0.0.1:{PORT};" in text("nginx.conf")
    assert f"reverse_proxy server:{PORT} " in text("Caddyfile")
    paths = yaml.safe_load((REPOSITORY / "openapi.yaml").read_text("utf-8"))["paths"]
    for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
        assert container[probe]["httpGet"]["path"] in paths
    assert f":{PORT}/readyz" in str(documents("compose.yaml")[0]["services"]["server"])
    named = [words for words in COMMANDS if "--allowed-hosts" in " ".join(words)]
    assert len(named) == 3
    assert all("aura.example.org" in " ".join(words) for words in named)
    for name in ("nginx.conf", "Caddyfile", "kubernetes.yaml"):
        assert "aura.example.org" in text(name)


def test_the_keys_are_where_the_server_looks_and_only_for_who_should_see_them() -> None:
    (data,) = re.findall(r"AURA_DATA_DIR=(\S+)", text("Dockerfile"))
    for name, wanted in (
        ("aura", {vault.KEY_FILE, callback_key.KEY_FILE}),
        ("aura-worker", {vault.KEY_FILE}),
    ):
        (container,) = pod(name)["containers"]
        mounts = {each["mountPath"] for each in container["volumeMounts"]}
        (keys,) = [each["secret"] for each in pod(name)["volumes"] if each["name"] == "keys"]
        assert {each["path"] for each in keys["items"]} == wanted
        assert mounts - {data} > {f"{data}/{file}" for file in wanted}
        assert data in mounts
        assert keys["defaultMode"] & 0o007 == 0  # YAML's 0440 is octal


def test_the_scaler_asks_for_what_there_is() -> None:
    (rule,) = documents("prometheus-adapter.yaml")[0]["rules"]["external"]
    (metric,) = of_kind("HorizontalPodAutoscaler")["spec"]["metrics"]
    assert metric["external"]["metric"]["name"] == rule["name"]["as"]
    source = Path(metrics.__file__).read_text("utf-8")
    for name in re.findall(r"aura_\w+", rule["metricsQuery"] + rule["seriesQuery"]):
        assert f'"{name}"' in source
    target = of_kind("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert pod(target["name"])["containers"][0]["args"][0] == "worker"


def test_the_unit_has_its_sections() -> None:
    assert unit().sections() == ["Unit", "Service", "Install"]
    service = unit()["Service"]
    assert service["ExecReload"].split()[1] == "-USR2"
    assert service["KillMode"] == "mixed"
    state = f"/var/lib/{service['StateDirectory']}"
    assert f"--data-dir {state} " in re.sub(r"\s+", " ", service["ExecStart"])


@pytest.mark.parametrize("file", [GUIDE, *FILES], ids=lambda file: file.name)
def test_every_variable_is_one_of_ours_and_every_file_is_named(file: Path) -> None:
    found = set(re.findall(r"\bAURA_[A-Z_]+", file.read_text("utf-8")))
    assert found <= VARIABLES
    guide = GUIDE.read_text("utf-8")
    assert file == GUIDE or f"(deploy/{file.name})" in guide or file.name.endswith(".dockerignore")
