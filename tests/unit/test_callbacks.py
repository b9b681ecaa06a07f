"""The rules of callbacks: where they may go, when they are tried again, what signs them.

Imports pytest and aura_aio.
"""

import os
from base64 import b64encode
from pathlib import Path

import pytest

from aura_aio.callback_key import KEY_FILE, callback_secrets
from aura_aio.model.callback import CallbackRefused
from aura_aio.model.errors import SettingsError
from aura_aio.scheduler.callback_targets import Targets
from aura_aio.scheduler.callbacks import LONGEST_WAIT_SEC, CallbackRules, Reply, wait_sec
from aura_aio.settings import CallbackSettings

PUBLIC = ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")
NOT_PUBLIC = (
    "127.0.0.1, 127.255.0.1, 10.0.0.1, 172.16.9.9, 192.168.1.1, 169.254.169.254, 100.64.0.1",
    "0.0.0.0, 255.255.255.255, 224.0.0.1, 240.0.0.1, 198.18.0.1, 192.0.2.1, 203.0.113.9",
    "::1, ::, fe80::1, fe80::1%eth0, fd00:ec2::254, fec0::1, ff02::1, 2001:db8::1, ::127.0.0.1",
    "::ffff:127.0.0.1, ::ffff:169.254.169.254, 64:ff9b::7f00:1, 64:ff9b::a9fe:a9fe",
    "2002:7f00:1::, 2002:808:808::, 2001:0:7f00:1::, 2001:0:808:808::, ff0e::1, 4000::1",
)
RULES = CallbackRules(tries=5, retry_sec=10.0, at_once=1)
FAILED = Reply(503, "No.")


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_called(address: str) -> None:
    Targets((), allow_private=False).check_address(address)


@pytest.mark.parametrize("address", ", ".join(NOT_PUBLIC).split(", "))
def test_others_may_not_unless_it_is_allowed(address: str) -> None:
    with pytest.raises(CallbackRefused, match="is not public"):
        Targets((), allow_private=False).check_address(address)
    Targets((), allow_private=True).check_address(address)


def test_a_list_of_hosts_holds_for_addresses_too() -> None:
    targets = Targets(["10.0.0.7", "Hooks.Example.org."], allow_private=True)
    targets.check("http://10.0.0.7:8080/x")
    targets.check("http://hooks.example.org/x")
    for url in ("http://10.0.0.8/", "http://example.org/", "http://10.0.0.7.example.org/"):
        with pytest.raises(CallbackRefused, match="none of those"):
            targets.check(url)


def test_all_below_a_host_can_be_allowed() -> None:
    targets = Targets(["*.Example.org", "hooks.test"], allow_private=False)
    for host in ("a.example.org", "B.A.EXAMPLE.ORG.", "hooks.test"):
        targets.check(f"https://{host}/x")
    for host in ("example.org", "an-example.org", "a.example.org.test", "a.hooks.test"):
        with pytest.raises(CallbackRefused, match="none of those"):
            targets.check(f"https://{host}/x")


def test_names_are_looked_at_when_they_are_connected_to() -> None:
    targets = Targets((), allow_private=False)
    for url in ("http://localhost/", "https://hooks.test:8443/x?y#z", "http://[2606:4700::1111]/"):
        targets.check(url)
    with pytest.raises(CallbackRefused, match="the address ::1 is not public"):
        targets.check("http://[::1]:8080/")


NO_ADDRESS = "it is no address that starts with http:// or https://."
NOT_ALLOWED = (
    "is none of those that callbacks may go to. Whoever operates the server can allow it with "
    "--callback-hosts."
)
PRIVATE = "is not public. Whoever operates the server can allow such ones with --callback-private."
NOT_SENT = "a user and a password in it are not sent; the signature tells more."


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://[::1/", "it is no address (Invalid IPv6 URL)."),
        (
            "http://hooks.test:x/",
            "it is no address (Port could not be cast to integer value as 'x').",
        ),
        ("ftp://hooks.test/", NO_ADDRESS),
        ("hooks.test/x", NO_ADDRESS),
        ("http:///x", NO_ADDRESS),
        ("http://hooks.test:0/", NO_ADDRESS),
        ("http://ada@hooks.test/", NOT_SENT),
        ("http://:word@hooks.test/", NOT_SENT),
        ("http://Hooks.org/", f"the host 'hooks.org' {NOT_ALLOWED}"),
        ("http://10.0.0.7/", f"the address 10.0.0.7 {PRIVATE}"),
    ],
)
def test_a_refusal_says_why_and_what_would_help(url: str, said: str) -> None:
    with pytest.raises(CallbackRefused) as caught:
        Targets(["hooks.test", "10.0.0.7"], allow_private=False).check(url)
    assert caught.value.faults == (("/callback_url", said),)


def test_waits_grow_up_to_a_bound_and_end() -> None:
    waits = [wait_sec(RULES, failed, FAILED, chance=0.0) for failed in range(1, 6)]
    assert waits == [10.0, 30.0, 90.0, 270.0, None]
    many = CallbackRules(tries=100, retry_sec=3600.0, at_once=1)
    assert wait_sec(many, 99, FAILED, chance=0.0) == LONGEST_WAIT_SEC
    soon = CallbackRules(tries=2, retry_sec=0.5, at_once=1)
    assert wait_sec(soon, 1, FAILED, chance=0.0) == 0.5


def test_chance_cuts_a_wait_by_less_than_a_fifth() -> None:
    assert wait_sec(RULES, 1, FAILED, chance=0.5) == 9.0
    assert 8.0 < (wait_sec(RULES, 1, FAILED, chance=0.999) or 0.0) < 8.01


@pytest.mark.parametrize(("asked", "wait"), [(3.0, 10.0), (45.0, 45.0), (1e9, 86_400.0)])
def test_a_receiver_is_left_alone_for_as_long_as_it_asks(asked: float, wait: float) -> None:
    reply = Reply(429, "No.", retry_after_sec=asked)
    assert wait_sec(RULES, 1, reply, chance=0.0) == wait


def test_gone_is_the_end() -> None:
    assert wait_sec(RULES, 1, Reply(410, "No."), chance=0.0) is None


def test_the_secrets_of_the_settings_are_taken(tmp_path: Path) -> None:
    secrets = tuple("whsec_" + b64encode(bytes([n]) * 24).decode() for n in range(2))
    assert callback_secrets(CallbackSettings(callback_secrets=secrets), tmp_path) == secrets
    assert not (tmp_path / KEY_FILE).exists()


def test_the_own_secret_stays_the_same(tmp_path: Path) -> None:
    made = callback_secrets(CallbackSettings(), tmp_path)
    assert callback_secrets(CallbackSettings(), tmp_path) == made
    other = tmp_path / "other"
    other.mkdir()
    assert callback_secrets(CallbackSettings(), other) != made


@pytest.mark.parametrize(
    "secret", ["", "abc", "whsec_", "whsec_c2hvcnQ=", "whsec_###", b64encode(bytes(32)).decode()]
)
def test_what_is_no_secret_stops_the_start_and_is_not_shown(secret: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is no secret that callbacks") as caught:
        callback_secrets(CallbackSettings(callback_secrets=(secret,)), tmp_path)
    assert len(secret) < 8 or secret not in str(caught.value)
    (tmp_path / KEY_FILE).write_text(secret)
    os.chmod(tmp_path / KEY_FILE, 0o600)
    with pytest.raises(SettingsError, match=r"callbacks\.key"):
        callback_secrets(CallbackSettings(), tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="files have no such mode there")
def test_a_key_that_everybody_can_read_is_not_used(tmp_path: Path) -> None:
    callback_secrets(CallbackSettings(), tmp_path)
    os.chmod(tmp_path / KEY_FILE, 0o644)
    with pytest.raises(SettingsError, match="everybody on this machine"):
        callback_secrets(CallbackSettings(), tmp_path)
