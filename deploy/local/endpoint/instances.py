"""The processes that serve an endpoint configuration: one a variant."""

import asyncio
import random
import shlex
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2

from deploy.local.endpoint.resources import ApiError, Message
from deploy.local.ports import HOST, free_ports
from deploy.local.processes import ProcessError, Supervisor
from deploy.promotion.storage import Storage

READY_S = 60.0
POLL_S = 0.1


class Instance:
    """A process of a container, with one model.

    Args:
        name: Of its log.
        command: What starts it.
        port: Where it will listen.
        log_dir: Where its log goes.
    """

    def __init__(self, name: str, command: list[str], port: int, log_dir: Path) -> None:
        self.url = f"http://{HOST}:{port}"
        self._supervisor = Supervisor(log_dir)
        self._supervisor.__enter__()
        self._supervisor.start(name, command)

    async def until_ready(self, client: httpx2.AsyncClient) -> None:
        """Wait until the container answers pings.

        Raises:
            ProcessError: It ended, or does not answer in time.
        """
        async with asyncio.timeout(READY_S):
            while not await self._is_ready(client):
                self._supervisor.check()
                await asyncio.sleep(POLL_S)

    async def _is_ready(self, client: httpx2.AsyncClient) -> bool:
        try:
            return (await client.get(f"{self.url}/ping")).status_code == httpx2.codes.OK
        except httpx2.HTTPError:
            return False

    async def stop(self) -> None:
        """End it."""
        await asyncio.to_thread(self._supervisor.stop)


@dataclass(frozen=True)
class Fleet:
    """The instances of one endpoint configuration.

    Attributes:
        config: The configuration.
        instances: By the variant's name, the shadow's too.
    """

    config: Message
    instances: Mapping[str, Instance]

    def choose(self) -> str:
        """Return the variant for a request, drawn by the weights."""
        variants = self.config["ProductionVariants"]
        weights = [variant["InitialVariantWeight"] for variant in variants]
        name: str = random.choices(variants, weights)[0]["VariantName"]
        return name

    @property
    def shadow(self) -> str | None:
        """The variant that is asked too, and not listened to."""
        shadows = self.config.get("ShadowProductionVariants", [])
        return shadows[0]["VariantName"] if shadows else None

    async def stop(self) -> None:
        """End all of them."""
        await asyncio.gather(*(instance.stop() for instance in self.instances.values()))


class Starter:
    """Starts fleets.

    Args:
        directory: For unpacked models and logs.
        images: The command of each container image, with {model_dir} and {port}.
        models: As ``CreateModel`` was asked for them.
        storage: Where model archives are.
        client: Asks for pings.
    """

    def __init__(
        self,
        directory: Path,
        images: Mapping[str, str],
        models: Mapping[str, Message],
        storage: Storage,
        client: httpx2.AsyncClient,
    ) -> None:
        self._directory = directory
        self._images = images
        self._models = models
        self._storage = storage
        self._client = client

    async def start(self, config: Message) -> Fleet:
        """Start a configuration's instances and wait until all are ready.

        Raises:
            ProcessError: One does not start.
            ApiError: A model's image is not known here.
        """
        variants = [*config["ProductionVariants"], *config.get("ShadowProductionVariants", [])]
        instances: dict[str, Instance] = {}
        try:
            for variant, port in zip(variants, free_ports(len(variants)), strict=True):
                instances[variant["VariantName"]] = await self._instance(variant, config, port)
            await asyncio.gather(*(i.until_ready(self._client) for i in instances.values()))
        except (ApiError, ProcessError, TimeoutError):
            await asyncio.gather(*(instance.stop() for instance in instances.values()))
            raise
        return Fleet(config, instances)

    async def _instance(self, variant: Mapping[str, Any], config: Message, port: int) -> Instance:
        container = self._models[variant["ModelName"]]["PrimaryContainer"]
        command = self._images.get(container["Image"])
        if command is None:
            known = ", ".join(self._images)
            raise ApiError(f"no image {container['Image']!r} here; there are {known}")
        model_dir = self._directory / "models" / variant["ModelName"]
        if not model_dir.exists():
            archive = await asyncio.to_thread(self._storage.read, container["ModelDataUrl"])
            with tarfile.open(fileobj=BytesIO(archive)) as packed:
                packed.extractall(model_dir, filter="data")
        words = shlex.split(command.format(model_dir=model_dir, port=port))
        name = f"{config['EndpointConfigName']}-{variant['VariantName']}"
        return Instance(name, words, port, self._directory / "logs")
