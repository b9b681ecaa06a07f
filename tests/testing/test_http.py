"""What `http.*` actions get in a test of a plan.

Imports pytest and aura_aio's engine and parts for tests.
"""

import asyncio
from typing import Any

import pytest

from aura_aio.engine.builtin.http import HttpActions
from aura_aio.testing import FakeHttp
from aura_aio.testing.http import RequestUnexpected

URL = "https://api.example/things"


class Web:
    """The actions on a `FakeHttp`."""

    def __init__(self) -> None:
        self.http = FakeHttp()
        self._actions = HttpActions(self.http.send)

    def get(self, url: str, **params: Any) -> dict[str, Any]:
        return asyncio.run(self._actions.get(url, **params))

    def request(self, method: str, url: str, **params: Any) -> dict[str, Any]:
        return asyncio.run(self._actions.request(url, method, **params))


@pytest.fixture
def web() -> Web:
    return Web()


def test_an_answer_is_as_from_the_network(web: Web) -> None:
    web.http.answer(URL, json={"a": [1]}, status=201, headers={"X-Rate": "5"})
    answer = web.get(URL, params={"page": 2, "on": True})
    assert answer == {
        "status": 201,
        "url": f"{URL}?page=2&on=true",
        "headers": {"content-type": "application/json", "x-rate": "5"},
        "text": '{"a":[1]}',
        "json": {"a": [1]},
        "elapsed_ms": answer["elapsed_ms"],
    }


def test_text_and_nothing_are_answers_too(web: Web) -> None:
    web.http.answer(URL, text="grün")
    assert web.get(URL)["text"] == "grün"
    assert "json" not in web.get(URL)
    web.http.answer("https://api.example", status=204)
    assert web.get("https://API.example/")["text"] == ""
    web.http.answer("https://null.example", json=None)
    assert web.get("https://null.example")["json"] is None


def test_a_content_type_of_the_test_counts(web: Web) -> None:
    web.http.answer(URL, text='{"a": 1}', headers={"Content-Type": "application/ld+json"})
    assert web.get(URL)["json"] == {"a": 1}


def test_answers_come_in_order_and_the_last_one_stays(web: Web) -> None:
    web.http.answer(URL, status=503)
    web.http.fail(URL, ConnectionResetError("gone"))
    web.http.answer(URL, status=200)
    assert web.get(URL)["status"] == 503
    with pytest.raises(ConnectionResetError, match="gone"):
        web.get(URL)
    assert [web.get(URL)["status"] for _ in range(3)] == [200, 200, 200]


def test_what_says_most_about_a_request_answers_it(web: Web) -> None:
    web.http.answer(URL, text="any")
    web.http.answer(URL, method="post", text="post")
    web.http.answer(f"{URL}?b=2&a=1", text="query")
    assert web.get(URL)["text"] == "any"
    assert web.get(f"{URL}?c=3")["text"] == "any"
    assert web.request("post", URL)["text"] == "post"
    assert web.get(f"{URL}?a=1", params={"b": 2})["text"] == "query"
    assert web.get(f"{URL}?a=1", params={"b": [2, 2]})["text"] == "any"


def test_requests_are_kept(web: Web) -> None:
    web.http.answer(URL)
    web.request("put", URL, json={"n": 1}, headers={"X-Key": "k"}, params={"q": "x"})
    web.request("patch", URL, data="text")
    first, second = web.http.requests
    assert (first.method, first.url, first.json, first.data) == ("PUT", URL, {"n": 1}, None)
    assert (first.headers, list(first.query)) == ({"X-Key": "k"}, [("q", "x")])
    assert (second.method, second.data) == ("PATCH", "text")


def test_a_request_without_an_answer_says_what_to_do(web: Web) -> None:
    with pytest.raises(RequestUnexpected, match=r"no answer for GET https://api\.example/things"):
        web.get(URL)
    web.http.answer(f"{URL}?a=1", method="POST")
    with pytest.raises(RequestUnexpected, match=r"there is one for POST .*/things\?a=1\.$"):
        web.get(URL)
    assert len(web.http.unexpected) == 2


def test_what_is_no_answer_is_refused(web: Web) -> None:
    with pytest.raises(ValueError, match="no http or https URL"):
        web.http.answer("api.example")
    with pytest.raises(ValueError, match="both 'json' and 'text'"):
        web.http.answer(URL, json=1, text="1")
