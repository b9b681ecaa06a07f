"""JSON values near a schema: right, at the edge, or wrong in one place.

Imports hypothesis only.
"""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Schema = Mapping[str, Any]
Values = st.SearchStrategy[Any]

ANYTHING: Values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, 1.0, -1.0, 1e300, 0.5, 10**400, "5", "true", "1.0"])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
GOOD_MOMENTS = (
    *("2026-03-02T09:15:00Z", "2026-03-02T09:15:00.123456789+08:00", "0001-01-01T00:00:00Z"),
    *("2026-01-01t00:00:00z", "2026-01-01T00:00:00.5-23:59"),
    *("9999-12-31T23:59:59.999999-23:59", "2024-02-29T00:00:00Z", "2026-01-01T00:00:00-00:00"),
)
ODD_MOMENTS = (
    *("2026-03-02T09:15:00", "2026-03-02", "2026-03-02 09:15:00Z", "2026-3-2T09:15:00Z", ""),
    *("2026-02-29T00:00:00Z", "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z", "now"),
    *("2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z"),
    *("2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0800"),
    *("\uff12026-01-01T00:00:00Z", "2026-01-01T00:00:00Z\n", " 2026-01-01T00:00:00Z"),
    *("20260101T000000Z", "2026-W01-1T00:00:00Z", "2026-01-01T00Z", "2026-01-01T00:00:00.Z"),
)


class Near:
    """Makes the strategies; `schemas` are those that references lead to."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def good(self, schema: Schema) -> Values:
        """Values that keep `schema`, as far as it can be told from one place at a time."""
        schema = self._resolved(schema)
        match schema.get("type"):
            case "object":
                values = self._good_object(schema)
            case "array":
                least, most = schema.get("minItems", 0), schema.get("maxItems", 3)
                few = st.lists(self.good(schema["items"]), min_size=least, max_size=least + 2)
                values = few | self._repeated(schema, [least, most])
            case "string":
                values = self._good_string(schema)
            case "integer":
                values = st.integers(schema.get("minimum"), schema.get("maximum"))
            case "number":
                bounds = schema.get("minimum"), schema.get("maximum")
                values = st.floats(*bounds, allow_nan=False, allow_infinity=False)
            case "boolean":
                values = st.booleans()
            case _:
                values = ANYTHING
        return values

    def odd(self, schema: Schema) -> Values:
        """Values at the edges of `schema`, over them, or beside it altogether."""
        schema = self._resolved(schema)
        match schema.get("type"):
            case "object":
                edges = self._odd_object(schema)
            case "array":
                least, most = schema.get("minItems", 0), schema.get("maxItems", 3)
                sizes = [max(0, least - 1), most, most + 1]
                odd_item = self.odd(schema["items"]).map(lambda item: [item])
                edges = self._repeated(schema, sizes) | odd_item
            case "string":
                edges = self._odd_string(schema)
            case "integer" | "number":
                bounds = [schema[word] for word in ("minimum", "maximum") if word in schema]
                steps = [edge + step for edge in bounds for step in (-1, -0.0001, 0, 0.0001, 1)]
                edges = st.sampled_from([*steps, *map(float, steps), 2.0, 0.5, -0.0])
            case _:
                edges = st.sampled_from(["true", "false", 0, 1])
        return edges | ANYTHING

    def _resolved(self, schema: Schema) -> Schema:
        ref = schema.get("$ref")
        return schema if ref is None else self._schemas[ref.rpartition("/")[2]]

    def _good_object(self, schema: Schema) -> Values:
        if "properties" not in schema:
            return st.dictionaries(self._keys(schema), self._map_value(schema), max_size=3)
        required = set(schema.get("required", ()))
        one_of = schema.get("not", {}).get("required", ())
        parts = {name: self.good(below) for name, below in schema["properties"].items()}
        return st.fixed_dictionaries(
            {name: part for name, part in parts.items() if name in required},
            optional={
                name: part
                for name, part in parts.items()
                if name not in required and name not in one_of[1:]
            },
        )

    def _odd_object(self, schema: Schema) -> Values:
        """A good object with one change: a property odd, missing, or new."""
        good = self._good_object(schema)
        if "properties" not in schema:
            most = schema.get("maxProperties", 3)
            return st.sampled_from([most, most + 1]).map(
                lambda size: {f"k{index}": "v" for index in range(size)}
            ) | st.dictionaries(self._odd_keys(schema), self._map_value(schema), min_size=1)
        changed = [
            st.tuples(good, st.just(name), self.odd(below) | self.good(below))
            for name, below in schema["properties"].items()
        ]
        new = st.tuples(good, st.text(max_size=5), ANYTHING)
        fewer = st.tuples(good, st.sampled_from(sorted(schema["properties"])))
        return st.one_of(*changed, new).map(lambda of: {**of[0], of[1]: of[2]}) | fewer.map(
            lambda of: {key: value for key, value in of[0].items() if key != of[1]}
        )

    def _map_value(self, schema: Schema) -> Values:
        values = schema.get("additionalProperties")
        return self.good(values) if isinstance(values, dict) else ANYTHING

    def _keys(self, schema: Schema) -> Values:
        names = schema.get("propertyNames", {})
        least, most = names.get("minLength", 0), names.get("maxLength", 9)
        return st.sampled_from(["k", "é", "a\n", "k" * least, "k" * most])

    def _odd_keys(self, schema: Schema) -> Values:
        longest = schema.get("propertyNames", {}).get("maxLength", 9)
        return st.sampled_from(["", "a=b", "=", "k" * (longest + 1)])

    def _repeated(self, schema: Schema, sizes: list[int]) -> Values:
        pairs = st.tuples(self.good(schema["items"]), st.sampled_from(sizes))
        return pairs.map(lambda pair: [pair[0]] * pair[1])

    def _good_string(self, schema: Schema) -> Values:
        if schema.get("format") == "date-time":
            return st.sampled_from(GOOD_MOMENTS)
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        least, most = schema.get("minLength", 0), schema.get("maxLength", 9)
        if "pattern" in schema:
            return st.from_regex(schema["pattern"], fullmatch=True).map(lambda text: text[:most])
        return st.text(min_size=least, max_size=least + 3) | _long_texts([least, most])

    def _odd_string(self, schema: Schema) -> Values:
        if schema.get("format") == "date-time":
            return st.sampled_from(ODD_MOMENTS)
        if "enum" in schema:
            words = schema["enum"]
            return st.sampled_from([words[0].upper(), f"{words[0]} ", "", "no word"])
        least, most = schema.get("minLength", 0), schema.get("maxLength", 9)
        return _long_texts([max(0, least - 1), most, most + 1])


def _long_texts(sizes: list[int]) -> Values:
    pairs = st.tuples(st.sampled_from("aé😀\x00 ="), st.sampled_from(sizes))
    return pairs.map(lambda pair: pair[0] * pair[1])
