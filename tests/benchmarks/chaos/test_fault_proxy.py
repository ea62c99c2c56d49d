import socket
import threading
import time
from collections.abc import Iterator

import pytest

from benchmarks.chaos.fault_proxy import HOST, Fault, FaultProxy

ANSWER = b"0123456789"
PATIENCE_S = 0.3


@pytest.fixture
def server_port() -> Iterator[int]:
    """A server that answers every byte that comes with ``ANSWER``."""
    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _serve(listener: socket.socket) -> None:
    answering = []
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            break
        answering.append(threading.Thread(target=_answer, args=(connection,), daemon=True))
        answering[-1].start()
    for thread in answering:
        thread.join(5)


def _answer(connection: socket.socket) -> None:
    with connection:
        try:
            while connection.recv(1):
                connection.sendall(ANSWER)
        except OSError:
            return


@pytest.fixture
def proxy(server_port: int) -> Iterator[FaultProxy]:
    """A proxy in front of the server."""
    with FaultProxy(server_port) as proxy:
        yield proxy


def _connect(proxy: FaultProxy) -> socket.socket:
    return socket.create_connection((HOST, proxy.port), PATIENCE_S)


def _ask(connection: socket.socket) -> bytes:
    connection.sendall(b"?")
    return connection.recv(100)


def test_without_a_fault_everything_comes_through(proxy: FaultProxy) -> None:
    """Question and answer pass, several times over one connection."""
    with _connect(proxy) as connection:
        assert [_ask(connection) for _ in range(3)] == [ANSWER] * 3


def test_answers_are_late_and_whole(proxy: FaultProxy) -> None:
    """Latency delays an answer on a connection that was open before, and loses nothing."""
    with _connect(proxy) as connection:
        _ask(connection)
        proxy.set(Fault.LATENCY, 0.1)
        began = time.monotonic()
        assert _ask(connection) == ANSWER
        assert time.monotonic() - began >= 0.1


def test_open_and_new_connections_are_reset(proxy: FaultProxy) -> None:
    """A reset ends the connection at once, with an error and not with an end."""
    with _connect(proxy) as connection:
        _ask(connection)
        proxy.set(Fault.RESET)
        with pytest.raises(ConnectionError):
            _ask(connection)
    with pytest.raises(ConnectionError), _connect(proxy) as connection:
        _ask(connection)
    proxy.set(Fault.NONE)
    with _connect(proxy) as connection:
        assert _ask(connection) == ANSWER


def test_a_black_hole_takes_connections_and_gives_nothing(proxy: FaultProxy) -> None:
    """Nothing comes through, no end either; afterwards what was held up arrives."""
    with _connect(proxy) as old:
        _ask(old)
        proxy.set(Fault.BLACKHOLE)
        with _connect(proxy) as new:
            for connection in (old, new):
                with pytest.raises(TimeoutError):
                    _ask(connection)
            proxy.set(Fault.NONE)
            assert (old.recv(100), new.recv(100)) == (ANSWER, ANSWER)


def test_a_slow_close_breaks_an_answer_off(proxy: FaultProxy) -> None:
    """Half of the answer comes, and the end only after the delay."""
    with _connect(proxy) as connection:
        proxy.set(Fault.SLOW_CLOSE, 0.1)
        began = time.monotonic()
        assert _ask(connection) == ANSWER[:5]
        assert connection.recv(100) == b""
        assert time.monotonic() - began >= 0.1


def test_a_target_that_is_not_there_ends_the_connection() -> None:
    """Behind the proxy of a dead server nobody waits."""
    with socket.create_server((HOST, 0)) as nobody:
        port = nobody.getsockname()[1]
    with FaultProxy(port) as proxy, pytest.raises(ConnectionError), _connect(proxy) as connection:
        _ask(connection)
