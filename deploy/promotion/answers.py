"""What a model endpoint answered, as far as a comparison reads it.

The form is that of ``scoring.endpoint.protocol``, repeated because nothing here imports the
product; a test holds the two equal.
"""

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

_FLOAT32 = np.dtype("<f4")
Floats = npt.NDArray[np.float32]


class _Response(msgspec.Struct, frozen=True):
    scores: bytes
    eta_p50_min: bytes
    eta_p90_min: bytes
    success_probability: bytes


@dataclass(frozen=True)
class Answer:
    """What was said of n candidates; float32 [n] each, in the order of the question."""

    scores: Floats
    eta_p50_min: Floats
    eta_p90_min: Floats
    chances: Floats

    @property
    def is_valid(self) -> bool:
        """Whether a model can mean it: finite numbers, and chances that are chances."""
        numbers = (self.scores, self.eta_p50_min, self.eta_p90_min)
        return (
            len({len(column) for column in (*numbers, self.chances)}) == 1
            and all(np.isfinite(column).all() for column in numbers)
            and bool(((self.chances >= 0) & (self.chances <= 1)).all())
        )


def read(body: bytes) -> Answer | None:
    """Return the answer in a body, None if it is none that can be used."""
    try:
        response = _decoder.decode(body)
        answer = Answer(
            *(np.frombuffer(column, dtype=_FLOAT32) for column in msgspec.structs.astuple(response))
        )
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return None
    return answer if answer.is_valid else None


_decoder = msgspec.msgpack.Decoder(_Response)
