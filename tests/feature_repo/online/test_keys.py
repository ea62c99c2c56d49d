import warnings

from hypothesis import given
from hypothesis import strategies as st

from feature_repo.online.keys import entity_key, entity_keys, is_entity_key
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


@given(project=st.text(min_size=1), provider=st.text() | st.text(min_size=250), service=st.text())
def test_entity_keys_are_feasts_own(project: str, provider: str, service: str) -> None:
    """The jobs and the gateway address an entity by the very key that Feast's SDK uses."""
    assert entity_key(project, PROVIDER_MOTION, (provider,)) == _feast_key(
        project, PROVIDER_MOTION, (provider,)
    )
    assert entity_key(project, PROVIDER_HISTORY, (provider, service)) == _feast_key(
        project, PROVIDER_HISTORY, (provider, service)
    )


@given(entities=st.lists(st.tuples(st.text(), st.text()), max_size=3))
def test_keys_of_many_are_those_of_each(entities: list[tuple[str, str]]) -> None:
    """Any number of entities, none too, have their keys in their order."""
    assert entity_keys("p", PROVIDER_HISTORY, entities) == [
        entity_key("p", PROVIDER_HISTORY, entity) for entity in entities
    ]


TEXTS = st.text(max_size=3)


@given(key=st.binary(max_size=40), project=TEXTS, names=st.lists(TEXTS, min_size=1, max_size=2))
def test_what_is_no_entity_key_is_told(key: bytes, project: str, names: list[str]) -> None:
    """Any bytes may be asked about; those that are not built as a key are none."""
    prefix = _feast_key_of("", [(name, "") for name in names])[: -8 * len(names)]
    assert not is_entity_key(key, project, names)
    assert not is_entity_key(prefix + b"\x02\0\0\0\xff\xff\xff\xff" + key, project, names)


@given(
    project=TEXTS,
    other=TEXTS,
    entity=st.lists(
        st.tuples(TEXTS, TEXTS | st.integers(-5, 5)),
        min_size=1,
        max_size=3,
        unique_by=lambda pair: pair[0],
    ),
)
def test_an_entity_key_is_of_one_project(
    project: str, other: str, entity: list[tuple[str, str | int]]
) -> None:
    """A key says which project and join keys it is of, however these end and begin."""
    names = [name for name, _ in entity]
    key = _feast_key_of(project, entity)
    assert is_entity_key(key, project, names)
    assert is_entity_key(key, other, names) == (other == project)
    assert not is_entity_key(key, project, [*names, "another"])


def _feast_key_of(project: str, entity: list[tuple[str, str | int]]) -> bytes:
    values = [Value(string_val=v) if isinstance(v, str) else Value(int64_val=v) for _, v in entity]
    return _redis_key(project, EntityKey(join_keys=[k for k, _ in entity], entity_values=values), 3)
