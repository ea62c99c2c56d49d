import json
from pathlib import Path

import pytest

from deploy.cost import page
from deploy.cost.__main__ import main
from deploy.cost.inputs import Inputs
from deploy.cost.prices import PRICES, load
from deploy.cost.report import markdown
from deploy.sizing import PEAK_DECISIONS_PER_S

PAGE = Path(__file__).parents[3] / "docs/cost.md"


def test_the_page_has_what_the_command_prints() -> None:
    """The tables of docs/cost.md are those of today's prices, inputs and sizes: `make cost`."""
    assert page.read(PAGE) == markdown(PEAK_DECISIONS_PER_S, load(), Inputs())


def test_the_rest_of_the_page_is_left_alone(tmp_path: Path) -> None:
    """What people wrote before and after the tables stays; writing again changes nothing."""
    path = tmp_path / "cost.md"
    path.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n")
    for _ in range(2):
        assert main(["--write", str(path)]) == 0
        text = path.read_text()
        assert text.startswith("before\n")
        assert text.endswith(f"{page.END}\nafter\n")
        assert "old" not in text
        assert page.read(path) == page.read(PAGE)


def test_a_page_without_a_place_for_tables_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page that is missing or lacks the comments is named, and not written."""
    path = tmp_path / "cost.md"
    assert main(["--write", str(path)]) == 2
    assert "No such file" in capsys.readouterr().err
    path.write_text("nothing")
    assert main(["--write", str(path)]) == 2
    assert "lacks the lines" in capsys.readouterr().err
    assert path.read_text() == "nothing"


def test_figures_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON a design's lines sum to its month, and its month to its price of a million."""
    assert main(["--json", "--decisions-per-s", "600", "--decisions-a-month", "1e6"]) == 0
    for design in json.loads(capsys.readouterr().out).values():
        total = sum(line["dollars"] for line in design["lines"])
        assert design["dollars_a_month"] == pytest.approx(total)
        assert design["dollars_a_million"] == pytest.approx(total)


def test_other_prices_make_another_bill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An edited table of prices is what the bill is made of."""
    path = tmp_path / "prices.csv"
    path.write_text(PRICES.read_text().replace("shard-hour,0.015,", "shard-hour,1.5,"))
    main(["--prices", str(path), "--json"])
    dear = json.loads(capsys.readouterr().out)["this product"]["dollars_a_month"]
    main(["--json"])
    assert dear > json.loads(capsys.readouterr().out)["this product"]["dollars_a_month"] + 40_000


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (None, "No such file"),
        ("name,dollars\nx,1\n", "each has name, dollars, unit, source, seen"),
        ("name,dollars,unit,source,seen\nx,cheap,a,b,c\n", "cheap"),
        ("name,dollars,unit,source,seen\nx,-1,a,b,c\n", "x: dollars is -1; it should be 0 or more"),
        ("name,dollars,unit,source,seen\nx,1,a,b,c\n", "no price 'kinesis-shard-hour'"),
    ],
)
def test_a_wrong_table_is_told(
    table: str | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table that is missing, or a row that is wrong, is named with what it should be."""
    path = tmp_path / "prices.csv"
    if table is not None:
        path.write_text(table)
    assert main(["--prices", str(path)]) == 2
    assert told in capsys.readouterr().err
