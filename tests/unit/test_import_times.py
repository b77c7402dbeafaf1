from benchmark import imports
from benchmark.imports import Package

WRITTEN = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |   aiohttp.hdrs
import time:        50 |        150 | aiohttp
{"event": "a line of something else"}
import time:      2000 |       2150 | json
"""


def test_the_times_of_a_packages_modules_are_added_up() -> None:
    assert imports.packages(WRITTEN) == {
        "aiohttp": Package("aiohttp", 2, 0.15, 0.15),
        "json": Package("json", 1, 2.0, 2.0),
    }


def test_a_package_has_median_and_least_of_its_starts_and_the_dearest_is_first() -> None:
    starts = [
        {"a": Package("a", 1, ms, ms), "b": Package("b", 3, 5.0, 5.0)} for ms in (1.0, 9.0, 2.0)
    ]

    assert imports.typical(starts) == [Package("b", 3, 5.0, 5.0), Package("a", 1, 2.0, 1.0)]


def test_the_table_has_the_dearest_the_sum_of_the_others_and_of_all() -> None:
    measured = [
        Package("aiohttp", 40, 50.0, 40.0),
        Package("json", 4, 2.0, 1.0),
        Package("jwt", 2, 1.5, 1.0),
    ]

    assert imports.table(measured, 2).splitlines()[2:] == [
        "| `aiohttp` | 40 | 50.0 | 40.0 |",
        "| `json` (Python's) | 4 | 2.0 | 1.0 |",
        "| 1 more | 2 | 1.5 | 1.0 |",
        "| **all** | 46 | 53.5 | 42.0 |",
    ]
