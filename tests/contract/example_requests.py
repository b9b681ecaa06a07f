"""For each operation the request that the contract's own examples make, so that none is forgotten.

Imports aura_aio.contract and the standard library only.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aura_aio.contract.document import Contract, Operation
from aura_aio.contract.references import mapping, parameters

EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True)
class ExampleRequest:
    """A request as aiohttp's client takes it."""

    operation: Operation
    path: str
    body: Any = None

    @property
    def options(self) -> dict[str, Any]:
        """What goes with it."""
        return {} if self.body is None else {"json": self.body}

    @property
    def raw(self) -> bytes:
        """It as it travels, to this machine and in one piece."""
        head = f"{self.operation.method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        if self.body is None:
            return f"{head}\r\n".encode()
        body = json.dumps(self.body)
        return (
            f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def example_requests(contract: Contract) -> Iterator[ExampleRequest]:
    """One for each operation, in the order of the document."""
    document = contract.as_dict()
    for operation in contract.operations:
        item = document["paths"][operation.path]
        node = item[operation.method.lower()]
        path = operation.path
        for parameter in parameters(document, item, node):
            if parameter["in"] == "path":
                text = quote(str(parameter["example"]), safe="")
                path = path.replace("{" + parameter["name"] + "}", text)
        if EVENT_STREAM in operation.success.texts:
            path += "?cid=nobody"  # an answer that ends
        yield ExampleRequest(operation, path, _body(node))


def _body(node: Any) -> Any:
    content = mapping(mapping(node.get("requestBody")).get("content"))
    for each in content.values():
        if "example" in each:
            return each["example"]
        return next(iter(each["examples"].values()))["value"]
    return None
