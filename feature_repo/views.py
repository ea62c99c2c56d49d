"""The Feast objects, generated from ``schema.py``; ``feast apply`` registers what is here."""

from datetime import timedelta

import pandas as pd
from feast import Entity, FeatureService, FeatureView, Field, RequestSource, ValueType
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import (
    Bool,
    FeastType,
    Float32,
    Float64,
    Int32,
    Int64,
    String,
    UnixTimestamp,
)

from feature_repo.request_time import OUTPUTS, REQUEST_INPUTS
from feature_repo.schema import BATCH_VIEWS, STREAM_VIEWS, Column, Kind, ViewSchema
from feature_repo.sources import batch_source, push_source

FEAST_TYPES: dict[Kind, FeastType] = {
    Kind.FLOAT32: Float32,
    Kind.FLOAT64: Float64,
    Kind.INT32: Int32,
    Kind.INT64: Int64,
    Kind.BOOL: Bool,
    Kind.STRING: String,
    Kind.TIMESTAMP: UnixTimestamp,
}

provider = Entity(
    name="provider",
    join_keys=["provider_id"],
    value_type=ValueType.STRING,
    description="A tow truck operator or service provider.",
)
cell = Entity(
    name="cell",
    join_keys=["cell"],
    value_type=ValueType.STRING,
    description="An H3 cell of resolution 7, as hexadecimal text.",
)
service = Entity(
    name="service",
    join_keys=["service"],
    value_type=ValueType.STRING,
    description="A service type: tow, jump_start, tire_change, lockout, fuel, winch.",
)
ENTITIES = {"provider_id": provider, "cell": cell, "service": service}


def _field(column: Column) -> Field:
    return Field(name=column.name, dtype=FEAST_TYPES[column.kind], description=column.description)


def _view(schema: ViewSchema) -> FeatureView:
    keys = [Field(name=key, dtype=String) for key in schema.join_keys]
    return FeatureView(
        name=schema.name,
        entities=[ENTITIES[key] for key in schema.join_keys],
        schema=[*keys, *map(_field, schema.columns)],
        ttl=timedelta(seconds=schema.ttl_s),
        source=push_source(schema) if schema in STREAM_VIEWS else batch_source(schema),
    )


provider_motion, provider_availability, cell_conditions, cell_demand = map(_view, STREAM_VIEWS)
provider_history, provider_profile = map(_view, BATCH_VIEWS)

dispatch_request = RequestSource(
    name="dispatch_request",
    schema=[_field(column) for column in REQUEST_INPUTS],
    description="The driver's request, known when the decision is made.",
)


@on_demand_feature_view(  # type: ignore[untyped-decorator]
    sources=[
        provider_motion,
        provider_availability,
        cell_conditions,
        cell_demand,
        provider_profile,
        dispatch_request,
    ],
    # Feast compares these with what it infers from the function: no descriptions there.
    schema=[Field(name=column.name, dtype=FEAST_TYPES[column.kind]) for column in OUTPUTS],
    mode="pandas",
)
def request_time(inputs: pd.DataFrame) -> pd.DataFrame:
    """Distances, ETA and ages at the moment of the request; see ``request_time.compute``."""
    from feature_repo.analyst_frames import request_time_frame  # noqa: PLC0415 - Feast pickles this

    return request_time_frame(inputs)


ranking = FeatureService(
    name="ranking",
    features=[
        provider_motion,
        provider_availability,
        cell_conditions,
        cell_demand,
        provider_history,
        provider_profile,
        request_time,
    ],
    description="Everything the ranker sees; ask with full_feature_names=True.",
)
