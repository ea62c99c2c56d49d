"""The command: ``python -m deploy.cost``, or with ``--write`` the tables of ``docs/cost.md``."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deploy.cost import page
from deploy.cost.inputs import Inputs
from deploy.cost.prices import PRICES, PriceError, load
from deploy.cost.report import as_json, markdown
from deploy.sizing import PEAK_DECISIONS_PER_S


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables, or write them into the page; return the exit code."""
    options = _parse(arguments)
    inputs = replace(Inputs(), decisions_a_month=options.decisions_a_month)
    try:
        prices = load(options.prices)
        if options.json:
            figures = as_json(options.decisions_per_s, prices, inputs)
            sys.stdout.write(json.dumps(figures, indent=2) + "\n")
            return 0
        tables = markdown(options.decisions_per_s, prices, inputs)
        if options.write:
            page.write(options.write, tables)
        else:
            sys.stdout.write(tables)
    except (PriceError, page.PageError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} should be more than 0")
    return value


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.cost",
        description="What a month costs, by line and by design, from the table of prices.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--prices", type=Path, default=PRICES, help="the table of prices")
    add("--decisions-per-s", type=_positive, default=PEAK_DECISIONS_PER_S, help="the peak")
    add("--decisions-a-month", type=_positive, default=Inputs().decisions_a_month,
        help="the volume")  # fmt: skip
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="figures instead of tables")
    how.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
