"""The offline store: rows of the views and decisions in S3, and Athena's way to them."""

import json
from pathlib import Path

from aws_cdk import CfnParameter, Duration, Stack, aws_athena, aws_glue, aws_kms, aws_s3
from constructs import Construct

from deploy.stacks import storage

DATABASE = "roadside_features"
WORKGROUP = "roadside-features"
ROWS, STAGING, DECISIONS = "features", "staging", "decisions"
"""Prefixes: rows by view and day; what Athena makes for a query; decisions by day."""
DAY_COLUMN = "date"
TABLES = Path(__file__).parent.parent / "offline_tables.json"
"""Columns by view, as ``feature_repo.schema`` has them, which nothing here imports; a test holds
them equal."""

SCANNED_AT_MOST_BYTES = 10**12
"""A query is ended beyond that: about five dollars, and more than a month of all views."""
STAGED_DAYS = 7
SELDOM_READ_DAYS = 90
KEPT_DAYS = 2 * 365

_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


class OfflineStore(Construct):
    """Buckets of rows and decisions, the Glue tables over the rows, and Athena's workgroup.

    Attributes:
        rows: The bucket of the views' rows; also the feature registry and Athena's results.
        decisions: The bucket of what was served, and of what the endpoint captured.
    """

    def __init__(self, scope: Construct, name: str, key: aws_kms.Key, logs: aws_s3.IBucket) -> None:
        super().__init__(scope, name)
        self.rows = storage.bucket(self, "Rows", key, logs, [_moved(f"{ROWS}/"), _STAGED])
        self.decisions = storage.bucket(self, "Decisions", key, logs, [_moved("")])
        first_day = CfnParameter(
            Stack.of(self),
            "FirstDay",
            description="Day of the oldest rows; Athena looks at none before it",
            allowed_pattern=r"\d{4}-\d{2}-\d{2}",
            default="2026-01-01",
        ).value_as_string
        database = aws_glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Stack.of(self).account,
            database_input=aws_glue.CfnDatabase.DatabaseInputProperty(name=DATABASE),
        )
        for view, columns in json.loads(TABLES.read_text()).items():
            self._table(view, columns, first_day).add_resource_dependency(database)
        self._workgroup(key)

    def staging(self) -> str:
        """Return where Athena puts entity rows and results."""
        return f"s3://{self.rows.bucket_name}/{STAGING}"

    def _table(self, view: str, columns: dict[str, str], first_day: str) -> aws_glue.CfnTable:
        table = aws_glue.CfnTable
        folder = f"s3://{self.rows.bucket_name}/{ROWS}/{view}/"
        return table(
            self,
            "".join(part.capitalize() for part in view.split("_")),
            catalog_id=Stack.of(self).account,
            database_name=DATABASE,
            table_input=table.TableInputProperty(
                name=view,
                table_type="EXTERNAL_TABLE",
                partition_keys=[table.ColumnProperty(name=DAY_COLUMN, type="string")],
                # Days are projected, not registered: readable as soon as their files are there.
                parameters={
                    "classification": "parquet",
                    "projection.enabled": "true",
                    f"projection.{DAY_COLUMN}.type": "date",
                    f"projection.{DAY_COLUMN}.format": "yyyy-MM-dd",
                    f"projection.{DAY_COLUMN}.range": f"{first_day},NOW",
                    "storage.location.template": f"{folder}{DAY_COLUMN}=${{{DAY_COLUMN}}}",
                },
                storage_descriptor=table.StorageDescriptorProperty(
                    columns=[
                        table.ColumnProperty(name=name, type=kind) for name, kind in columns.items()
                    ],
                    location=folder,
                    input_format=f"{_PARQUET}.MapredParquetInputFormat",
                    output_format=f"{_PARQUET}.MapredParquetOutputFormat",
                    serde_info=table.SerdeInfoProperty(
                        serialization_library=f"{_PARQUET}.serde.ParquetHiveSerDe"
                    ),
                ),
            ),
        )

    def _workgroup(self, key: aws_kms.Key) -> None:
        group = aws_athena.CfnWorkGroup
        group(
            self,
            "Workgroup",
            name=WORKGROUP,
            description="Historical retrieval of features",
            state="ENABLED",
            work_group_configuration=group.WorkGroupConfigurationProperty(
                # Feast says itself where the rows that it retrieves shall be, which Athena
                # refuses where a workgroup enforces its own place.
                enforce_work_group_configuration=False,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=SCANNED_AT_MOST_BYTES,
                result_configuration=group.ResultConfigurationProperty(
                    output_location=f"{self.staging()}/results/",
                    encryption_configuration=group.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key.key_arn
                    ),
                ),
            ),
        )


def _moved(prefix: str) -> aws_s3.LifecycleRule:
    return aws_s3.LifecycleRule(
        prefix=prefix,
        expiration=Duration.days(KEPT_DAYS),
        transitions=[
            aws_s3.Transition(
                storage_class=aws_s3.StorageClass.INFREQUENT_ACCESS,
                transition_after=Duration.days(SELDOM_READ_DAYS),
            )
        ],
    )


_STAGED = aws_s3.LifecycleRule(prefix=f"{STAGING}/", expiration=Duration.days(STAGED_DAYS))
