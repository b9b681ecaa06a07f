"""Tokens as the API asks for them: when one is needed, what it is good for, how long, and its uses.

Imports pytest, aura_aio's model and scheduler, and `bench`.
"""

import logging
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from aura_aio.model.access import EVERYTHING, Grant, NewToken, Scope, Token
from aura_aio.model.audit import Note, noting
from aura_aio.model.errors import InvalidToken, StoreUnavailable, TokenNotFound
from aura_aio.model.token_store import TokenStore
from aura_aio.scheduler.access import Access, Demand
from tests.scheduler.bench import STEP, Bench, TurnedClock
from tests.scheduler.conftest import MakeBench
from tests.waiting import until

RUNNER = NewToken(scope=Scope.RUN, name="ci", plans=("p",))


@pytest.fixture
async def bench(make_bench: MakeBench) -> Bench:
    """An open bench: a store, and a clock that a test turns."""
    bench = make_bench()
    bench.write({"tasks/t.yaml": STEP})
    await bench.open()
    return bench


async def load(bench: Bench, demand: Demand = Demand.ONCE_MADE) -> Access:
    """The tokens that are in the store."""
    return await Access.load(bench.store.tokens, demand, bench.clock)


async def last_uses(store: TokenStore) -> list[float | None]:
    """What is written down of when tokens were last used."""
    return [token.last_used_at for token in await store.list_tokens()]


async def test_the_door_is_closed_by_the_first_token_for_good(bench: Bench) -> None:
    access, told = await load(bench), list[str | None]()
    access.on_end(told.append)
    assert (access.is_open, access.any_in_force) == (True, False)
    token, secret = await access.create(RUNNER)
    assert (access.is_open, access.any_in_force) == (False, True)
    assert told == [None]
    other, _ = await access.create(NewToken(scope=Scope.READ))
    assert told == [None]
    assert access.list() == (token, other)
    assert await access.revoke(token.id) == replace(token, revoked_at=bench.clock.now())
    await access.revoke(other.id)
    assert told == [None, token.id, other.id]
    assert (access.is_open, access.any_in_force) == (False, False)
    assert not (await load(bench)).is_open
    with pytest.raises(InvalidToken, match=r"^The token was revoked\.$"):
        access.grant_of(secret)
    with pytest.raises(TokenNotFound):
        await access.revoke("nobody")


async def test_a_demand_holds_whatever_tokens_there_are(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "aura.scheduler.access")
    always, never = await load(bench, Demand.ALWAYS), await load(bench, Demand.NEVER)
    assert (always.is_open, never.is_open) == (False, True)
    assert caplog.records == []  # no door was closed
    await never.create(RUNNER)
    assert never.is_open


async def test_a_token_grants_what_it_was_made_for_also_after_a_restart(bench: Bench) -> None:
    made = Note("createToken")
    with noting(made):
        token, secret = await (await load(bench)).create(RUNNER)
    assert made.token_id == token.id
    granted = Grant(Scope.RUN, frozenset({"p"}), token.id, "ci")
    assert (await load(bench)).grant_of(secret) == granted
    with pytest.raises(InvalidToken, match=r"^The token is none of this server's\.$"):
        (await load(bench)).grant_of(secret + "0")


async def test_a_token_expires_and_whoever_listens_is_told_then(bench: Bench) -> None:
    clock, told = TurnedClock(), list[str | None]()
    access = await Access.load(bench.store.tokens, Demand.ONCE_MADE, clock)
    short, secret = await access.create(replace(RUNNER, expires_in_sec=20.0))
    long, _ = await access.create(replace(RUNNER, expires_in_sec=90.0))
    access.on_end(told.append)
    access.start()
    try:
        await until(lambda: clock.longest() == 20)
        clock.turn(19)
        assert access.grant_of(secret).token_id == short.id
        clock.turn(1)
        await until(lambda: told == [short.id])
        with pytest.raises(InvalidToken, match=r"^The token has expired\.$"):
            access.grant_of(secret)
        await until(lambda: clock.longest() == 60)
        later, _ = await access.create(replace(RUNNER, expires_in_sec=5.0))
        await until(lambda: clock.longest() == 5)
        clock.turn(5)
        await until(lambda: told == [short.id, later.id])
        assert access.any_in_force
        await until(lambda: clock.longest() == 60)
        clock.turn(60)
        await until(lambda: clock.longest() == 5)
        clock.turn(5)
        await until(lambda: told == [short.id, later.id, long.id])
        assert not access.any_in_force
    finally:
        await access.aclose()


async def test_uses_are_written_down_once_a_minute_and_at_the_end(bench: Bench) -> None:
    clock, store = TurnedClock(), bench.store.tokens
    access, began = await Access.load(store, Demand.ONCE_MADE, clock), clock.now()
    _, secret = await access.create(RUNNER)
    access.start()
    await until(lambda: clock.longest() == 60)
    clock.turn(10)
    access.grant_of(secret)
    assert [token.last_used_at for token in access.list()] == [began + 10]
    assert await last_uses(store) == [None]
    clock.turn(50)

    async def written() -> bool:
        return await last_uses(store) == [began + 10]

    await until(written)
    assert [token.last_used_at for token in access.list()] == [began + 10]
    assert access.grant_of(secret).scope is Scope.RUN
    await access.aclose()
    assert await last_uses(store) == [began + 60]


class Unwritable:
    """A store of tokens that can only be read."""

    def __init__(self, store: TokenStore) -> None:
        self.list_tokens = store.list_tokens
        self.add = store.add
        self.revoke = store.revoke

    async def record_use(self, used: Mapping[str, float]) -> None:
        """Refuse."""
        raise StoreUnavailable("The disk is full.")


async def test_uses_that_cannot_be_written_down_keep_nobody_out(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    access = await Access.load(Unwritable(bench.store.tokens), Demand.ONCE_MADE, bench.clock)
    token, secret = await access.create(RUNNER)
    access.grant_of(secret)
    await access.aclose()
    (told,) = [vars(each) for each in caplog.records if each.levelno == logging.WARNING]
    assert (told["action"], told["reason"]) == ("token_uses_not_kept", "The disk is full.")
    assert access.grant_of(secret).token_id == token.id


async def test_who_was_given_a_token_and_who_lost_it_stands_in_the_log(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    access = await load(bench)
    with caplog.at_level(logging.INFO, "aura.scheduler.access"):
        token, _ = await access.create(RUNNER)
        await access.revoke(token.id)
    told = [vars(each) for each in caplog.records if hasattr(each, "token_id")]
    facts = [(each["token_id"], each["token_name"], each["scope"]) for each in told]
    assert facts == [(token.id, "ci", "run")] * 2


async def test_a_ticket_is_worth_what_its_token_still_is(bench: Bench) -> None:
    access = await load(bench)
    early = [(await access.issue_ticket(EVERYTHING)).text for _ in range(2)]
    assert await access.redeem(early[0]) == EVERYTHING
    token, secret = await access.create(RUNNER)
    with pytest.raises(InvalidToken, match=r"^The ticket was given without a token, and"):
        await access.redeem(early[1])
    grant = access.grant_of(secret)
    first, second = [(await access.issue_ticket(grant)).text for _ in range(2)]
    assert await access.redeem(first) == grant
    await access.revoke(token.id)
    with pytest.raises(InvalidToken, match=r"^The token was revoked\.$"):
        await access.redeem(second)


async def test_a_ticket_is_good_as_long_as_its_token(bench: Bench) -> None:
    access = await load(bench)
    _, secret = await access.create(replace(RUNNER, expires_in_sec=20.0))
    grant = access.grant_of(secret)
    first, second = [(await access.issue_ticket(grant)).text for _ in range(2)]
    bench.clock.turn(19)
    assert await access.redeem(first) == grant
    bench.clock.turn(1)
    with pytest.raises(InvalidToken, match="expired"):
        await access.redeem(second)


async def test_what_another_server_has_made_or_revoked_holds_here_once_it_is_heard_of(
    bench: Bench,
) -> None:
    here, there = await load(bench), await load(bench)
    told = list[str | None]()
    here.on_end(told.append)
    token, secret = await there.create(RUNNER)
    with pytest.raises(InvalidToken):
        here.grant_of(secret)
    await here.reload()
    assert here.grant_of(secret).token_id == token.id
    assert (here.is_open, told) == (False, [None])
    await there.revoke(token.id)
    await here.reload()
    assert told == [None, token.id]
    with pytest.raises(InvalidToken, match="revoked"):
        here.grant_of(secret)
    await here.reload()
    assert told == [None, token.id]


async def test_what_is_made_here_while_the_tokens_are_read_is_not_forgotten(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await load(bench)
    kept, secrets = bench.store.tokens.list_tokens, list[str]()

    async def slow() -> tuple[Token, ...]:
        before = await kept()
        if len(secrets) in {1, 3}:
            secrets.append((await here.create(RUNNER))[1])
        return before

    monkeypatch.setattr(bench.store.tokens, "list_tokens", slow)
    for _ in range(2):
        secrets.append((await here.create(RUNNER))[1])
        await here.reload()
    assert len({here.grant_of(secret).token_id for secret in secrets}) == 4
