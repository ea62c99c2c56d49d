import json
import re
from pathlib import Path

from deploy import sizing
from deploy.stacks import offline_store
from deploy.store_users import COMMANDS
from tests.deploy.stacks.templates import Templates

_TABLE = "AWS::Glue::Table"
_SETTINGS = Path("feature_repo/feature_store.aws.yaml")


def test_the_nodes_stand_in_three_zones_and_carry_the_peak_without_one(
    templates: Templates,
) -> None:
    """Losing a zone fails over by itself, and the nodes that are left read fast enough."""
    (store,) = templates.resources("AWS::ElastiCache::ReplicationGroup")
    zones = [json.dumps(zone) for zone in store["PreferredCacheClusterAZs"]]
    assert len(zones) == store["NumCacheClusters"] <= 6, "the service takes a primary and five"
    assert {zones.count(zone) for zone in zones} == {store["NumCacheClusters"] // sizing.ZONES}
    left = store["NumCacheClusters"] * (sizing.ZONES - 1) // sizing.ZONES
    busy = sizing.utilisation(
        sizing.MEASURED.store, sizing.STORE_NODE, left, sizing.PEAK_DECISIONS_PER_S
    )
    assert busy <= sizing.TARGET_UTILISATION
    assert store["AutomaticFailoverEnabled"] is store["MultiAZEnabled"] is True


def test_redis_is_set_as_rows_need_it(templates: Templates) -> None:
    """Rows stay in one piece, and nothing is ever evicted."""
    (parameters,) = templates.resources("AWS::ElastiCache::ParameterGroup")
    assert parameters["Properties"] == {
        "hash-max-listpack-value": "256",
        "maxmemory-policy": "noeviction",
    }


def test_whoever_logs_in_may_do_little(templates: Templates) -> None:
    """Every user needs a password, has no dangerous command, and only the jobs run scripts."""
    users = {u["UserName"]: u for u in templates.resources("AWS::ElastiCache::User")}
    assert set(users) == {"gateway", "jobs"} == set(COMMANDS)
    for user in users.values():
        assert user["Passwords"]
        assert "-@all" in user["AccessString"]
        assert user["AccessString"].endswith("-@dangerous")
    assert "+@scripting" in users["jobs"]["AccessString"]
    assert "+@scripting" not in users["gateway"]["AccessString"]


def test_the_tables_are_read_by_day(templates: Templates) -> None:
    """Each view has a table of its columns, whose days are found by their folders' names."""
    tables = {t["TableInput"]["Name"]: t["TableInput"] for t in templates.resources(_TABLE)}
    columns = json.loads(offline_store.TABLES.read_text())
    assert tables.keys() == columns.keys()
    for view, table in tables.items():
        stored = table["StorageDescriptor"]
        assert {c["Name"]: c["Type"] for c in stored["Columns"]} == columns[view]
        assert [key["Name"] for key in table["PartitionKeys"]] == [offline_store.DAY_COLUMN]
        assert table["Parameters"]["projection.enabled"] == "true"
        place = json.dumps(table["Parameters"]["storage.location.template"])
        assert f"/features/{view}/date=${{date}}" in place


def test_the_outputs_are_what_feast_reads(templates: Templates) -> None:
    """Each variable of the AWS settings file has an output of its name."""
    outputs = {name.upper() for name in templates.template("store")["Outputs"]}
    variables = set(re.findall(r"\$\{(\w+)\}", _SETTINGS.read_text())) - {"AWS_REGION"}
    assert {variable.replace("_", "") for variable in variables} <= outputs


def test_a_query_cannot_read_without_end(templates: Templates) -> None:
    """Athena ends a query that scans too much, encrypts results, and lets Feast say where to."""
    (group,) = templates.resources("AWS::Athena::WorkGroup")
    configuration = group["WorkGroupConfiguration"]
    assert configuration["BytesScannedCutoffPerQuery"] == 10**12
    assert configuration["EnforceWorkGroupConfiguration"] is False
    encryption = configuration["ResultConfiguration"]["EncryptionConfiguration"]
    assert encryption["EncryptionOption"] == "SSE_KMS"


def test_every_decision_is_kept_as_a_line(templates: Templates) -> None:
    """Firehose writes what the stream has to the decisions' bucket, encrypted, a line each."""
    (archive,) = templates.resources("AWS::KinesisFirehose::DeliveryStream")
    assert archive["DeliveryStreamType"] == "KinesisStreamAsSource"
    target = archive["ExtendedS3DestinationConfiguration"]
    assert target["Prefix"].startswith("decisions/date=")
    assert target["EncryptionConfiguration"]["KMSEncryptionConfig"]
    processors = [p["Type"] for p in target["ProcessingConfiguration"]["Processors"]]
    assert processors == ["AppendDelimiterToRecord"]
