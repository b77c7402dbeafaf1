"""Draws what the studies wrote by ``--json`` as SVG: python -m benchmark.plots FOLDER.

FOLDER holds concurrency.json, endurance.json and flatness-*.json, one for each size.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmark.endurance import MOST_MB

IMAGES = Path(__file__).parents[1] / "docs" / "images"
_INCHES = (6.4, 3.2)
_DRAWN = {
    "get_product": "GET /products/:id",
    "get_order": "GET /orders/:id",
    "list_orders": "GET /orders?limit=20",
    "last_orders": "its last page",
    "create_order": "POST /orders",
    "confirm_order": "confirm",
}

Study = Mapping[str, Any]


def main() -> None:
    """Draw all plots."""
    folder = Path(sys.argv[1])
    # Text stays text, and the same figures make the same file.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "back office", "font.size": 9})
    flat = sorted(map(_read, folder.glob("flatness-*.json")), key=lambda study: int(study["many"]))
    _draw("concurrency", 2, lambda axes: _concurrency(axes, _read(folder / "concurrency.json")))
    _draw("memory", 1, lambda axes: _memory(axes[0], _read(folder / "endurance.json")))
    _draw("rows", 1, lambda axes: _rows(axes[0], flat))


def _read(file: Path) -> Study:
    study: Study = json.loads(file.read_text())
    return study


def _draw(name: str, columns: int, fill: Callable[[list[Axes]], None]) -> None:
    figure, axes = plt.subplots(1, columns, figsize=_INCHES, squeeze=False, layout="constrained")
    fill(list(axes[0]))
    for each in axes[0]:
        each.grid(visible=True, linewidth=0.4)
        each.spines[["top", "right"]].set_visible(False)
        each.legend(frameon=False, fontsize="small")
    figure.savefig(IMAGES / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


def _concurrency(axes: list[Axes], study: Study) -> None:
    rates, latencies = axes
    for curve in study["curves"].values():
        clients = [point["clients"] for point in curve["points"]]
        (line,) = rates.plot(
            clients, [point["rate"] for point in curve["points"]], "o-", label=curve["title"]
        )
        for percentile, style in (("p50_ms", "-"), ("p99_ms", "--")):
            latencies.plot(
                clients,
                [point[percentile] for point in curve["points"]],
                style,
                color=line.get_color(),
                label=percentile.removesuffix("_ms") if curve["name"] == "get_order" else None,
            )
    rates.set(xscale="log", xlabel="clients", ylabel="requests a second", ylim=(0, None))
    latencies.set(xscale="log", yscale="log", xlabel="clients", ylabel="ms")


def _memory(axes: Axes, study: Study) -> None:
    minutes = [seconds / 60 for seconds in study["seconds"]]
    for name, series in study["mb"].items():
        axes.plot(minutes, series, label=name)
    axes.axhline(MOST_MB, color="grey", linestyle=":", label="the most that is allowed")
    axes.set(xlabel="minutes at full load", ylabel="MB resident", ylim=(0, None))


def _rows(axes: Axes, studies: list[Study]) -> None:
    few = studies[-1]["few"]
    for name, title in _DRAWN.items():
        ratios = [study["calls"][name]["p50_ratio"] for study in studies]
        axes.plot([few, *(study["many"] for study in studies)], [1, *ratios], "o-", label=title)
    axes.set(
        xscale="log",
        xlabel="customers (with twice as many orders)",
        ylabel="p50, as a ratio",
        ylim=(0, 2),
    )


if __name__ == "__main__":
    main()
