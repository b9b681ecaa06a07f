"""What is shown of a database's address: never a password, however it is written.

Imports aura_aio.model and pytest.
"""

import pytest

from aura_aio.model.database_url import DatabaseUrl, holds_secret, shown


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("postgresql://db.example.org/aura", "postgresql://db.example.org/aura"),
        ("postgresql://me@db:5433/aura", "postgresql://me@db:5433/aura"),
        ("postgresql://me:geheim@db:5433/aura", "postgresql://me@db:5433/aura"),
        ("postgresql://me:geh@eim@db/aura", "postgresql://me@db/aura"),
        ("postgres://me:geheim@a:1,b:2/aura", "postgres://me@a:1,b:2/aura"),
        ("postgresql://db/aura?user=me&password=geheim", "postgresql://db/aura?user=me"),
        ("postgresql:///aura?host=/run/pg&sslpassword=geheim", "postgresql:///aura?host=/run/pg"),
        ("postgresql://me:ge/heim@db/aura", "postgresql://***"),
        ("postgresql://me:ge?heim@db/aura", "postgresql://***"),
        ("postgresql://me:ge#heim@db/aura", "postgresql://***"),
        ("postgresql://me:geheim@[::1/aura", "postgresql://***"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, seen: str) -> None:
    assert str(DatabaseUrl(url)) == shown(url) == seen
    assert seen in repr(DatabaseUrl(url))
    assert f"{DatabaseUrl(url)}" == seen
    assert holds_secret(url) == (url != seen)


def test_the_name_of_a_file_is_shown_as_it_is() -> None:
    assert shown("/data/me:geheim@x/aura.db") == "/data/me:geheim@x/aura.db"
    assert shown("") == ""


def test_what_others_say_of_an_address_is_shown_without_the_password() -> None:
    url = DatabaseUrl("postgresql://me:geheim@db/aura?sslpassword=tief&application_name=x")
    told = f'no "{url.secret}", nor geheim, nor tief'
    assert url.without_secrets(told) == 'no "postgresql://me@db/aura", nor ***, nor ***'


def test_an_address_is_equal_to_itself_only() -> None:
    one, same, other = (DatabaseUrl(f"postgresql://me:{word}@db/aura") for word in "aab")
    assert (one == same, one == other, one == "postgresql://me:a@db/aura") == (True, False, False)
    assert hash(one) == hash(same)
