import warnings

from hypothesis import given
from hypothesis import strategies as st

from feature_repo.keys import entity_key
from feature_repo.schema import PROVIDER_HISTORY, PROVIDER_MOTION, ViewSchema

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from feast.infra.online_stores.helpers import _redis_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value


def _feast_key(project: str, schema: ViewSchema, values: tuple[str, ...]) -> bytes:
    proto = EntityKey(
        join_keys=schema.join_keys, entity_values=[Value(string_val=value) for value in values]
    )
    return _redis_key(project, proto, 3)


@given(project=st.text(min_size=1), provider=st.text(), service=st.text())
def test_entity_keys_are_feasts_own(project: str, provider: str, service: str) -> None:
    """The jobs and the gateway address an entity by the very key that Feast's SDK uses."""
    assert entity_key(project, PROVIDER_MOTION, (provider,)) == _feast_key(
        project, PROVIDER_MOTION, (provider,)
    )
    assert entity_key(project, PROVIDER_HISTORY, (provider, service)) == _feast_key(
        project, PROVIDER_HISTORY, (provider, service)
    )
