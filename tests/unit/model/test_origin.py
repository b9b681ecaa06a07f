"""What started a run: as it stands in the store, and read back.

Imports aura_aio.model.
"""

import json

import msgspec
import pytest

from aura_aio.model.origin import (
    FromEvent,
    FromParent,
    FromSchedule,
    Origin,
    decode_origin,
    encode_origin,
)

ORIGINS: dict[str, Origin] = {
    "schedule": FromSchedule("nightly", 1_769_860_800.5),
    "event": FromEvent("run.finished", "cid-1", "fetch", "pages", "succeeded", 1_769_860_800.5),
    "parent": FromParent("cid-1", "report"),
}


@pytest.mark.parametrize("trigger", ORIGINS)
def test_an_origin_says_its_trigger_and_is_read_back(trigger: str) -> None:
    text = encode_origin(ORIGINS[trigger])
    assert text is not None
    assert json.loads(text)["trigger"] == trigger
    assert decode_origin(text) == ORIGINS[trigger]


def test_a_client_leaves_no_origin() -> None:
    assert encode_origin(None) is None
    assert decode_origin(None) is None


def test_what_is_no_origin_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_origin(b'{"trigger": "moon"}')
