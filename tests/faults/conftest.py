"""Systems that are there to be broken, and the table of what was done to them."""

from collections.abc import Callable, Iterator

import pytest
from _pytest.terminal import TerminalReporter

from tests.faults.run import Plan, Report, missing, run
from tests.faults.scene import Strike
from tests.faults.stage import CLIENTS_HOP, DATABASE_HOPS, HTTP_HOPS, Stage, running_stage
from tests.plans import printed_seed

SHORT_SECONDS = 5.0

Break = Callable[..., Report]

_TABLE = pytest.StashKey[list[Report]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the runs: each needs the whole system."""
    for item in items:
        if "break_it" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.system)


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Print the table of docs/reliability.md, for the runs that there were."""
    reports = config.stash.get(_TABLE, [])
    if reports:
        terminalreporter.section("faults")
        for line in (*Report.HEAD, *(report.row() for report in reports)):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A system whose processes meet directly, but for the wires to the database."""
    with running_stage(tmp_path_factory.mktemp("stage"), DATABASE_HOPS) as running:
        yield running


@pytest.fixture(scope="session")
def wired_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A system with a wire on every hop: who is not there looks like one that hangs up."""
    hops = (CLIENTS_HOP, *HTTP_HOPS, *DATABASE_HOPS)
    with running_stage(tmp_path_factory.mktemp("wired"), hops) as running:
        yield running


@pytest.fixture
def break_it(request: pytest.FixtureRequest, long_seconds: float) -> Break:
    """Run a plan on a stage; fail with what was violated and how to have it again."""

    def do(
        stage: Stage,
        name: str,
        *groups: tuple[Strike, ...],
        clients: int = 16,
    ) -> Report:
        seed = printed_seed()
        minutes = request.config.getoption("--long")
        long = f" --long {minutes:g}" if minutes else ""
        again = f"TEST_SEED={seed} scripts/test {request.node.nodeid}{long}"
        plan = Plan(
            name,
            groups,
            seconds=max(long_seconds, SHORT_SECONDS),
            seed=seed,
            clients=clients,
            is_long=bool(minutes),
        )
        report = stage.run(run(stage, plan))
        request.config.stash.setdefault(_TABLE, []).append(report)
        print(f"again: {again}\n{report.row()}\n{report.slowest}\n{dict(report.told)}")
        if report.violations:
            print("\n".join(report.violations))
        assert report.violations == [], f"to have it again: {again}"
        if minutes:
            missed = [one.name for group in groups for one in missing(group, report.struck)]
            assert missed == [], f"the run says nothing of these; to have it again: {again}"
        return report

    return do
