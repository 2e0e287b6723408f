"""
Straight to PostgreSQL's driver: one statement, which is a transaction by itself, without SQLAlchemy's way to it.

For one row, that way takes as much of the processor as the driver does, and receiving has little else to do.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Insert
from sqlalchemy.exc import DBAPIError


class Direct:
    """
    An INSERT, on an engine whose connections commit each statement by themselves.

    Shape:  it must be the same when it is done twice: after a lost connection nobody knows whether it was done.
    """

    def __init__(self, engine: Engine, statement: Insert) -> None:
        dialect = engine.dialect
        compiled = statement.compile(dialect=dialect)
        self._engine = engine
        self._errors = dialect.loaded_dbapi.Error
        self._text = str(compiled)
        self._written = {name: bound.type.bind_processor(dialect) for name, bound in compiled.binds.items()}

    def rows(self, values: dict[str, Any]) -> Sequence[Any]:
        """
        What the statement returns; columns of which `values` says nothing are NULL.

        Raises: DatabaseError.
        """
        given = {name: write(values.get(name)) if write else values.get(name) for name, write in self._written.items()}
        try:
            return self._run(given)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            # The others that wait in the pool were opened before the database went away, too.
            self._engine.dispose()
            return self._run(given)

    def _run(self, given: dict[str, Any]) -> Sequence[Any]:
        connection = None
        lost = False
        try:
            connection = self._engine.raw_connection()
            cursor = connection.cursor()
            self._engine.dialect.do_execute(cursor, self._text, given)
            return cursor.fetchall()
        except self._errors as error:
            if connection is not None and self._engine.dialect.is_disconnect(error, connection, None):
                connection.invalidate(error)
                lost = True
            # The values are people's data, and errors end in logs.
            raise DBAPIError.instance(
                self._text, None, error, self._errors, hide_parameters=True, connection_invalidated=lost
            ) from error
        finally:
            if connection is not None:
                connection.close()
