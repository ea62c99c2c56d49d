from deploy.streams import STREAMS
from tests.deploy.stacks.templates import Templates


def test_every_stream_is_deployed_and_encrypted(templates: Templates) -> None:
    """Each stream has the shards that its load needs, and a key of ours."""
    streams = templates.resources("AWS::Kinesis::Stream")
    assert {s["Name"]: s["ShardCount"] for s in streams} == {s.name: s.shards for s in STREAMS}
    for stream in streams:
        assert stream["StreamEncryption"]["EncryptionType"] == "KMS"
        assert "Fn::GetAtt" in stream["StreamEncryption"]["KeyId"]
        assert stream["StreamModeDetails"]["StreamMode"] == "PROVISIONED"
