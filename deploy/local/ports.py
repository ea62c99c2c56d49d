"""The ports of the local stack: known ones, so that `feast` and a browser find it."""

import socket
from contextlib import ExitStack
from dataclasses import dataclass, fields

HOST = "127.0.0.1"


class PortTakenError(RuntimeError):
    """Somebody else listens on a port of ours; the message names it and the remedy."""


@dataclass(frozen=True)
class Ports:
    """Where each part listens, on 127.0.0.1 only."""

    redis: int = 16379
    kinesis: int = 14566
    flink_web: int = 18081
    flink_rpc: int = 16123
    endpoint: int = 18080
    gateway: int = 18000

    def shifted(self, offset: int) -> "Ports":
        """Return every port so much higher: a second stack beside the first."""
        return Ports(**{field.name: getattr(self, field.name) + offset for field in fields(self)})

    def check_free(self) -> None:
        """Raise PortTakenError if anybody listens on one of the ports."""
        for field in fields(self):
            port = getattr(self, field.name)
            if _is_taken(port):
                raise PortTakenError(
                    f"port {port} (for {field.name}) is taken; end what listens there "
                    f"(`ss -ltnp 'sport = :{port}'` names it) or shift all ports: --port-offset 100"
                )


def free_offset() -> int:
    """Return an offset at which every port is free, for tests that run beside a stack.

    Raises:
        PortTakenError: None of a hundred offsets is free.
    """
    for offset in range(1000, 31_000, 300):
        ports = Ports().shifted(offset)
        if not any(_is_taken(getattr(ports, field.name)) for field in fields(ports)):
            return offset
    raise PortTakenError("no free block of ports between 15000 and 49000; end what listens there")


def free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 on which nobody listens, all different."""
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.create_server((HOST, 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in sockets]


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
