"""The jobs: for each stream view of the feature repo, its inputs and its SQL."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from feature_repo import schema
from feature_repo.schema import Kind, ViewSchema
from flink_jobs import availability, conditions, demand, motion
from flink_jobs.settings import EventTime

SQL_TYPES: dict[Kind, str] = {
    Kind.FLOAT32: "DOUBLE",
    Kind.FLOAT64: "DOUBLE",
    Kind.INT32: "INT",
    Kind.INT64: "BIGINT",
    Kind.BOOL: "BOOLEAN",
    Kind.STRING: "STRING",
    Kind.TIMESTAMP: "BIGINT",
}


@dataclass(frozen=True)
class ViewJob:
    """How one view is computed.

    Attributes:
        schema: The view.
        inputs: The streams it reads.
        query: Its SQL, given the times: the join keys, ``observed_ts`` (newest event, epoch ms),
            ``made_ts`` (when the live job makes the row at the earliest, epoch ms) and the
            features. Rows of one entity may share their newest event; no two share both times,
            so which of them was there at a moment is always known.
        prepare: Statements to run before the query.
    """

    schema: ViewSchema
    inputs: tuple[str, ...]
    query: Callable[[EventTime], str]
    prepare: tuple[str, ...] = ()

    @property
    def written_columns(self) -> tuple[tuple[str, str], ...]:
        """Names and SQL types of what the writer is given, in its order."""
        return (
            *((key, "STRING") for key in self.schema.join_keys),
            ("observed_ts", "BIGINT"),
            ("made_ts", "BIGINT"),
            *(
                (column.name, SQL_TYPES[column.kind])
                for column in self.schema.columns
                if column.name != self.schema.observed_at
            ),
        )


JOBS: dict[str, ViewJob] = {
    job.schema.name: job
    for job in (
        ViewJob(schema.PROVIDER_MOTION, motion.INPUTS, motion.query),
        ViewJob(schema.PROVIDER_AVAILABILITY, availability.INPUTS, availability.query),
        ViewJob(
            schema.CELL_CONDITIONS,
            conditions.INPUTS,
            conditions.query,
            prepare=(conditions.OBSERVATIONS,),
        ),
        ViewJob(schema.CELL_DEMAND, demand.INPUTS, demand.query, prepare=(demand.REQUEST_STEPS,)),
    )
}


def read_together(views: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the streams that some views read, in groups: together are those that one view reads.

    Groups that share a stream are one.
    """
    groups: list[tuple[str, ...]] = []
    for view in views:
        inputs = JOBS[view].inputs
        sharing = [group for group in groups if set(group) & set(inputs)]
        joined = dict.fromkeys(stream for group in (*sharing, inputs) for stream in group)
        groups = [*(group for group in groups if group not in sharing), tuple(joined)]
    return groups


def inputs_of(views: Iterable[str]) -> tuple[str, ...]:
    """Return the streams that some views read, each once."""
    return tuple(dict.fromkeys(stream for view in views for stream in JOBS[view].inputs))
