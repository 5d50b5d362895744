"""Connections to PostgreSQL, kept for the next request."""

import os
from contextlib import contextmanager

from psycopg2.extras import RealDictCursor
from psycopg2.pool import ThreadedConnectionPool

_pool = None


@contextmanager
def transaction():
    """A cursor in a transaction of its own, which is committed at the end and rolled back on an error."""
    global _pool
    if _pool is None:
        _pool = ThreadedConnectionPool(1, 20, os.environ["DATABASE_URL"])
    connection = _pool.getconn()
    try:
        with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
            yield cursor
    finally:
        _pool.putconn(connection)


def rows(query, *values):
    with transaction() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def row(query, *values):
    """The first row, or None."""
    return next(iter(rows(query, *values)), None)


def run(query, *values):
    with transaction() as cursor:
        cursor.execute(query, values)
