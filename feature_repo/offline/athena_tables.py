"""The Glue tables of the offline rows, made from the schema."""

import argparse
import sys
from datetime import date

from feature_repo.schema import VIEWS, Kind, ViewSchema
from feature_repo.sources import DAY_COLUMN

ATHENA_TYPES: dict[Kind, str] = {
    Kind.FLOAT32: "float",
    Kind.FLOAT64: "double",
    Kind.INT32: "int",
    Kind.INT64: "bigint",
    Kind.BOOL: "boolean",
    Kind.STRING: "string",
    Kind.TIMESTAMP: "timestamp",
}


def create_table(schema: ViewSchema, database: str, location: str, first_day: date) -> str:
    """Return the statement that makes a view's table over ``<location>/<view>/date=.../``.

    Days are projected, not registered: a new day can be read as soon as its files are there.
    """
    columns = [
        *((key, "string") for key in schema.join_keys),
        *((column.name, ATHENA_TYPES[column.kind]) for column in schema.columns),
        ("event_timestamp", "timestamp"),
        ("created_timestamp", "timestamp"),
    ]
    defined = ",\n".join(f"  `{name}` {kind}" for name, kind in columns)
    folder = f"{location.rstrip('/')}/{schema.name}/"
    return f"""\
CREATE EXTERNAL TABLE IF NOT EXISTS `{database}`.`{schema.name}` (
{defined}
)
PARTITIONED BY (`{DAY_COLUMN}` string)
STORED AS PARQUET
LOCATION '{folder}'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.{DAY_COLUMN}.type' = 'date',
  'projection.{DAY_COLUMN}.format' = 'yyyy-MM-dd',
  'projection.{DAY_COLUMN}.range' = '{first_day},NOW',
  'storage.location.template' = '{folder}{DAY_COLUMN}=${{{DAY_COLUMN}}}'
);"""


def main(arguments: list[str] | None = None) -> int:
    """Print the statements; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m feature_repo.offline.athena_tables",
        description="Print the statements that make the offline rows' tables; run them in Athena.",
    )
    parser.add_argument("--database", required=True, help="the Glue database")
    parser.add_argument("--location", required=True, help="above the views, s3://bucket/prefix")
    parser.add_argument(
        "--first-day", type=date.fromisoformat, required=True, help="of the oldest rows, ISO"
    )
    options = parser.parse_args(arguments)
    for schema in VIEWS.values():
        statement = create_table(schema, options.database, options.location, options.first_day)
        sys.stdout.write(f"{statement}\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
