"""The schema of a database as it can be compared.

Imports the standard library only.
"""

import sqlite3


def schema(connection: sqlite3.Connection) -> set[tuple[str, ...]]:
    """Every table and index, with its text; comments and spaces aside."""
    rows = connection.execute("SELECT type, name, tbl_name, COALESCE(sql, '') FROM sqlite_schema")
    return {(*row[:3], " ".join(_without_comments(row[3]).split())) for row in rows}


def _without_comments(sql: str) -> str:
    return "\n".join(line.partition("--")[0] for line in sql.splitlines())
