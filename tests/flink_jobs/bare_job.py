"""A job that sets nothing: what Flink itself changes in a job's configuration when it plans SQL.

flink run --python bare_job.py streaming|batch
"""

import sys

from pyflink.datastream import RuntimeExecutionMode, StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment


def main() -> None:
    """Submit it."""
    env = StreamExecutionEnvironment.get_execution_environment()
    if sys.argv[1] == "batch":
        env.set_runtime_mode(RuntimeExecutionMode.BATCH)
    tables = StreamTableEnvironment.create(env)
    tables.execute_sql("CREATE TEMPORARY TABLE done (n INT) WITH ('connector' = 'blackhole')")
    statements = tables.create_statement_set()
    statements.add_insert_sql("INSERT INTO done VALUES (1)")
    statements.execute()


if __name__ == "__main__":
    main()
