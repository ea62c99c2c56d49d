"""Stands in for Kinesis: takes every record and forgets it. ``python -m benchmarks.gateway.sink``.

AWS runs the real one, so what this costs is in no table; what it costs to put records is.
"""

import argparse
import asyncio
import sys

import msgspec
import uvloop


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while head := await _head(reader):
        length = next(int(v) for k, v in head if k == b"content-length")
        body = msgspec.json.decode(await reader.readexactly(length))
        taken = [{"SequenceNumber": "1", "ShardId": "shardId-000000000000"}] * len(
            body.get("Records", [])
        )
        answer = msgspec.json.encode({"FailedRecordCount": 0, "Records": taken})
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(answer), answer)
        )
    writer.close()


async def _head(reader: asyncio.StreamReader) -> list[tuple[bytes, bytes]]:
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[1:-2]
    except asyncio.IncompleteReadError:
        return []
    pairs = (line.split(b":", 1) for line in lines)
    return [(name.strip().lower(), value.strip()) for name, value in pairs]


async def _run(port: int) -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", port)
    await server.serve_forever()


def main() -> int:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway.sink", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    uvloop.run(_run(parser.parse_args().port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
