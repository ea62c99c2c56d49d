"""Ways to serve the same decisions: this product's, and those it was chosen over."""

from dataclasses import dataclass

from deploy import sizing
from deploy.sizing import ProcessorMs, Unit

GPU_INSTANCE = Unit("ml.g5.xlarge", cores=4)


@dataclass(frozen=True)
class Design:
    """A way to serve.

    Attributes:
        name: What tables call it.
        cost: Processor time of a decision by process.
        endpoint: What scores. Where its time is 0 there is none: the gateway scores.
    """

    name: str
    cost: ProcessorMs
    endpoint: Unit

    def gateway_tasks(self, peak_per_s: float) -> int:
        """Return how many tasks carry the peak in two zones of three."""
        return sizing.units(self.cost.gateway, sizing.GATEWAY_TASK, peak_per_s)

    def endpoint_instances(self, peak_per_s: float) -> int:
        """Return how many instances carry the peak in two zones of three."""
        return sizing.units(self.cost.endpoint, self.endpoint, peak_per_s)

    def store_nodes(self, peak_per_s: float) -> int:
        """Return how many nodes carry the peak in two zones of three."""
        return sizing.units(self.cost.store, sizing.STORE_NODE, peak_per_s)


PRODUCT = Design("this product", sizing.MEASURED, sizing.ENDPOINT_INSTANCE)
GPU = Design("GPU endpoint", sizing.MEASURED, GPU_INSTANCE)
FEAST = Design("Feast's SDK", sizing.PEER, sizing.ENDPOINT_INSTANCE)
DESIGNS = (PRODUCT, GPU, FEAST)
