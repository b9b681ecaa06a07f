"""A database on a PostgreSQL server, which one server has at a time. Needs the extra `postgres`.

May import store.relational, psycopg, the standard library and model only.
"""
