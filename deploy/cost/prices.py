"""The table of prices."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PRICES = Path(__file__).with_name("prices.csv")
REGION = "us-east-1"


@dataclass(frozen=True)
class Price:
    """A list price on demand, without tax, in ``REGION``.

    Attributes:
        name: What the lines call it.
        dollars: For one unit.
        unit: What is counted.
        source: The page that has it.
        seen: When and how it was seen, or that it was not.
    """

    name: str
    dollars: float
    unit: str
    source: str
    seen: str


class PriceError(ValueError):
    """A row of the table is wrong; the message names file, row and remedy."""


def load(path: Path = PRICES) -> Mapping[str, Price]:
    """Return the prices by name.

    Raises:
        PriceError: The file is not there, a column is missing, or a price is no number.
    """
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise PriceError(f"--prices {path}: {error.strerror}; name a file like {PRICES}") from error
    return {price.name: price for price in (_price(path, row) for row in rows)}


def _price(path: Path, row: Mapping[str, str]) -> Price:
    try:
        dollars = float(row["dollars"])
        price = Price(row["name"], dollars, row["unit"], row["source"], row["seen"])
    except (KeyError, ValueError) as error:
        raise PriceError(
            f"{path}: row {dict(row)}: {error}; each has name, dollars, unit, source, seen"
        ) from error
    if not dollars >= 0:
        raise PriceError(f"{path}: {price.name}: dollars is {dollars:g}; it should be 0 or more")
    return price
