"""The point-in-time join as an ASOF join: each entity row with what was known at its time.

Feast's own SQL joins each entity row with every row inside the TTL and ranks them afterwards: with
a row a minute and a TTL of an hour, sixty times the rows. Here a view is first reduced to its
turning points (the rows that became the newest known of their entity, each at the moment when
they did), and an ASOF join takes one of them for each entity row. Decision 14 has the numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis
from ibis.expr.types import Table

NUMBER, AS_OF = "_number", "_as_of"
"""Columns of the entities: the position of the row asked for, and its time."""
EVENT, CREATED = "_event", "_created"
"""Columns of a view's rows: their two timestamps, UTC."""
_KNOWN_AT, _NEWEST, _NEXT = "_known_at", "_newest", "_next_known_at"


@dataclass(frozen=True)
class TimedRows:
    """The rows of one view.

    Attributes:
        table: Has the columns below, ``EVENT`` and ``CREATED``.
        keys: The join keys, named as in the entities.
        features: The features, named as in the result.
        ttl: Older rows are as if they were not there; None where none is too old.
    """

    table: Table
    keys: tuple[str, ...]
    features: tuple[str, ...]
    ttl: timedelta | None


@dataclass(frozen=True)
class Entities:
    """The rows asked for.

    Attributes:
        table: Has ``NUMBER``, ``AS_OF`` and the join keys.
        first: The earliest ``AS_OF``.
        last: The latest.
    """

    table: Table
    first: datetime
    last: datetime


def as_of(entities: Entities, rows: TimedRows, *, once_created: bool) -> Table:
    """Join entities with the row that was newest at their time.

    Args:
        entities: The rows asked for.
        rows: The rows to choose from: newest by ``EVENT``, then by ``CREATED``.
        once_created: Whether a row counts only from when it was created.

    Returns:
        ``NUMBER`` and the features, for each entity that has a row.
    """
    asked = entities.table
    points = _turning_points(_wanted(rows, entities), rows.keys, once_created=once_created)
    found = asked.asof_join(
        points,
        on=asked[AS_OF] >= points[_KNOWN_AT],
        predicates=[asked[key] == points[key] for key in rows.keys],
    )
    # A row too old leaves nothing: every other row that was known is older still.
    event = found[EVENT]
    in_time = event.notnull() if rows.ttl is None else event >= found[AS_OF] - rows.ttl
    return found.filter(in_time).select(NUMBER, *rows.features)


def _wanted(rows: TimedRows, entities: Entities) -> Table:
    """Return the rows that an entity row may be given: most questions are about a part of them."""
    event = rows.table[EVENT]
    table = rows.table.filter(event <= entities.last)
    if rows.ttl is not None:
        table = table.filter(event >= entities.first - rows.ttl)
    return table.semi_join(entities.table.select(*rows.keys).distinct(), rows.keys)


def _turning_points(table: Table, keys: Sequence[str], *, once_created: bool) -> Table:
    """Return the rows that became their entity's newest, with the moment when they did.

    Of two events at one time the later created is the newer, and became known no earlier; so in
    the order of (known at, event, created) a row is a turning point if no row before it has a
    newer event, and if it is the last of its moment.
    """
    if once_created:
        table = table.filter(table[CREATED].notnull())
    known_at = ibis.greatest(table[EVENT], table[CREATED]) if once_created else table[EVENT]
    table = table.mutate(known_at.name(_KNOWN_AT))
    order = [table[_KNOWN_AT], table[EVENT], ibis.asc(table[CREATED], nulls_first=True)]
    all_rows = ibis.window(group_by=list(keys), order_by=order)
    until_here = ibis.window(group_by=list(keys), order_by=order, following=0)
    table = table.mutate(
        table[EVENT].max().over(until_here).name(_NEWEST),
        table[_KNOWN_AT].lead().over(all_rows).name(_NEXT),
    )
    is_last = table[_NEXT].isnull() | (table[_NEXT] != table[_KNOWN_AT])
    return table.filter(table[EVENT] == table[_NEWEST], is_last).drop(CREATED, _NEWEST, _NEXT)
