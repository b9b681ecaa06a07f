"""A database on a PostgreSQL server, which servers share. Needs the extra `postgres`.

May import store.relational, psycopg, the standard library and model only.
"""
