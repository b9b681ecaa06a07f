"""asyncapi.yaml as the tests see it: what each message must look like.

Imports PyYAML, jsonschema and the standard library.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from jsonschema import Draft202012Validator

TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z")


@cache
def asyncapi() -> Any:
    """The document."""
    text = (files("aura_aio") / "contract" / "asyncapi.yaml").read_text("utf-8")
    return yaml.load(text, Loader=yaml.CSafeLoader)


@cache
def validator(message: str) -> Draft202012Validator:
    """What checks the messages of this name."""
    document = asyncapi()
    assert message in document["components"]["messages"], f"{message} is no message of the contract"
    schema = {
        "$ref": f"#/components/messages/{message}/payload",
        "components": document["components"],
    }
    return Draft202012Validator(schema)


def check(message: Any) -> None:
    """Raise unless `message` is one that the server may send, in the form of the contract."""
    assert isinstance(message, dict), message
    assert message.get("type") in _sent(), message
    validator(message["type"]).validate(message)
    entries = message["payload"] if message["type"] == "logs" else [message["payload"]]
    for entry in entries if message["type"] in ("log", "logs") else ():
        assert TIMESTAMP.fullmatch(entry["timestamp"]), entry


@cache
def _sent() -> frozenset[str]:
    """The messages that the server sends by itself or in reply."""
    references = [
        reference["$ref"]
        for operation in asyncapi()["operations"].values()
        for part in (operation if operation["action"] == "send" else operation.get("reply"),)
        for reference in (part or {"messages": []})["messages"]
    ]
    return frozenset(reference.rpartition("/")[2] for reference in references)
