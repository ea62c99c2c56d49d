"""What the stacks that do something stand on."""

from dataclasses import dataclass

from deploy.stacks.artifacts import ArtifactsStack
from deploy.stacks.network import NetworkStack
from deploy.stacks.store import StoreStack
from deploy.stacks.streams import StreamsStack


@dataclass(frozen=True)
class Foundation:
    """The stacks that all others refer to.

    Attributes:
        artifacts: Code, models, images.
        network: The VPC, and who may reach whom.
        streams: Events and decisions.
        store: Features, online and offline.
    """

    artifacts: ArtifactsStack
    network: NetworkStack
    streams: StreamsStack
    store: StoreStack
