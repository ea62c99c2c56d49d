"""The endpoint itself: which fleet answers, and how one takes the place of another."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from deploy.local.endpoint.instances import Fleet, Starter
from deploy.local.endpoint.resources import ARN, ApiError, Message, Resources
from deploy.local.processes import ProcessError

POLL_S = 0.2
IN_SERVICE = "InService"


class Service:
    """One endpoint.

    A change is blue/green, all at once: the new fleet is started beside the old one and takes all
    requests; while it bakes, any of the alarms brings the old one back.

    Args:
        resources: The configurations.
        starter: Starts fleets.
        cloudwatch: boto3's client, for the alarms.
    """

    def __init__(self, resources: Resources, starter: Starter, cloudwatch: Any) -> None:
        self._resources = resources
        self._starter = starter
        self._cloudwatch = cloudwatch
        self._name = ""
        self._status = ""
        self._failure = ""
        self._created = self._changed = time.time()
        self._change: asyncio.Task[None] | None = None
        self.fleet: Fleet | None = None

    def create(self, asked: Message) -> Message:
        """``CreateEndpoint``."""
        if self._name:
            raise ApiError(f"there is one endpoint at most here: {self._name!r}")
        self._name, self._created = asked["EndpointName"], time.time()
        return self._begin("Creating", asked["EndpointConfigName"], {})

    def update(self, asked: Message) -> Message:
        """``UpdateEndpoint``."""
        self._check(asked)
        if self._status != IN_SERVICE:
            raise ApiError(f"Cannot update in-progress endpoint {self._name!r}: {self._status}")
        config = asked["EndpointConfigName"]
        return self._begin("Updating", config, asked.get("DeploymentConfig", {}))

    def describe(self, asked: Message) -> Message:
        """``DescribeEndpoint``."""
        self._check(asked)
        config = {} if self.fleet is None else self.fleet.config
        told = {
            "EndpointName": self._name,
            "EndpointArn": f"{ARN}:endpoint/{self._name}",
            "EndpointConfigName": config.get("EndpointConfigName", ""),
            "EndpointStatus": self._status,
            "CreationTime": self._created,
            "LastModifiedTime": self._changed,
        }
        return told | ({"FailureReason": self._failure} if self._failure else {})

    async def stop(self) -> None:
        """End a change that is under way, and all instances."""
        if self._change is not None:
            self._change.cancel()
            with suppress(asyncio.CancelledError):
                await self._change
        if self.fleet is not None:
            await self.fleet.stop()

    def _check(self, asked: Message) -> None:
        if not self._name or asked["EndpointName"] != self._name:
            raise ApiError(f"Could not find endpoint {asked['EndpointName']!r}")

    def _begin(self, status: str, config: str, deployment: Message) -> Message:
        found = self._resources.config(config)
        self._status, self._failure = status, ""
        self._change = asyncio.create_task(self._replace(found, deployment))
        return {"EndpointArn": f"{ARN}:endpoint/{self._name}"}

    async def _replace(self, config: Message, deployment: Message) -> None:
        """Bring a new fleet into the place of the old one, or leave that there."""
        try:
            green = await self._starter.start(config)
        except (ProcessError, ApiError, TimeoutError) as error:
            self._settle(f"The new fleet did not start: {error}")
            return
        blue, self.fleet = self.fleet, green
        try:
            ringing = await self._bake(deployment)
        except asyncio.CancelledError:
            await _stop(blue)
            raise
        if ringing and blue is not None:
            self.fleet, self._status = blue, "RollingBack"
            await green.stop()
            self._settle(f"Alarms tripped during the deployment: {', '.join(ringing)}")
        else:
            await _stop(blue)
            self._settle("")

    async def _bake(self, deployment: Message) -> list[str]:
        """Return the alarms that rang while the new fleet baked; the first ends it."""
        alarms = deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])
        bake_s = deployment.get("BlueGreenUpdatePolicy", {}).get("TerminationWaitInSeconds", 0)
        names = [alarm["AlarmName"] for alarm in alarms]
        until = time.monotonic() + bake_s
        while time.monotonic() < until:
            if ringing := await asyncio.to_thread(self._ringing, names):
                return ringing
            await asyncio.sleep(POLL_S)
        return []

    def _ringing(self, names: Sequence[str]) -> list[str]:
        if not names:
            return []
        alarms = self._cloudwatch.describe_alarms(AlarmNames=list(names))["MetricAlarms"]
        return [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]

    def _settle(self, failure: str) -> None:
        self._status = IN_SERVICE if self.fleet is not None else "Failed"
        self._failure = failure
        self._changed = time.time()


async def _stop(fleet: Fleet | None) -> None:
    if fleet is not None:
        await fleet.stop()
