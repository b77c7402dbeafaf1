"""The reader of the logs takes what breaks by itself for foreseen, and nothing else."""

import json
from pathlib import Path

import pytest

from tests.faults.defects import defects

SERVICE = {
    "refused by the database": '{"event":"database trouble","level":"error","number":1290}',
    "a neighbour away": '{"event":"upstream call failed","level":"warning","attempt":1}',
    "no failure": '{"event":"request","level":"info","status":500}',
    "the port of a worker that has not gone yet": (
        "orders_api: cannot listen on port 24807: Address already in use"
    ),
}
FUNCTION = {
    "an invocation": "START RequestId: 92b4cad3-77e9-4fdb-8c82-5687de7cf408 Version: $LATEST",
    "a killed function": (
        "24 Nov 2026 12:51:54,997 [ERROR] (rapid) Invoke failed error=Runtime exited with error:"
        " signal: killed InvokeID=92b4cad3"
    ),
}
WRONG = {
    "an event that is not on the list": '{"event":"request failed","level":"error"}',
    "a trace beside an event": (
        '{"event":"database trouble","level":"error","exception":"Traceback (most recent"}'
    ),
    "a library's warning": '{"event":"Task was destroyed","level":"error","logger":"asyncio"}',
    "a trace": "Traceback (most recent call last):",
    "a warning of the interpreter": "sys:1: ResourceWarning: unclosed <socket.socket fd=7>",
    "a value that is no event": json.dumps(["upstream call failed"]),
}


@pytest.mark.parametrize("line", SERVICE.values(), ids=SERVICE)
def test_what_broken_surroundings_explain_is_no_defect(tmp_path: Path, line: str) -> None:
    (tmp_path / "orders.log").write_text(f"{line}\n")

    assert defects(tmp_path) == []


@pytest.mark.parametrize("line", FUNCTION.values(), ids=FUNCTION)
def test_an_emulator_has_lines_of_its_own(tmp_path: Path, line: str) -> None:
    (tmp_path / "emulator-1.log").write_text(f"{line}\n")
    (tmp_path / "gateway.log").write_text(f"{line}\n")

    assert defects(tmp_path) == [f"gateway.log: {line}"]


TRACES = {
    "an emulator that dies of two invocations": (
        "panic: runtime error: nil pointer",
        "",
        "goroutine 59 [running]:",
        "\t/server.go:666",
    ),
    "a runtime whose emulator was killed": (
        "[ERROR] [1795529429867] LAMBDA_RUNTIME Failed to get next invocation. No Response",
        "Traceback (most recent call last):",
        '  File "awslambdaric/__main__.py", line 35, in <module>',
    ),
}


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_who_ends_for_a_killed_emulator_leaves_a_trace_of_its_own(
    tmp_path: Path, trace: tuple[str, ...]
) -> None:
    alive, wrong = FUNCTION["an invocation"], WRONG["a trace"]
    (tmp_path / "emulator-1.log").write_text("\n".join([*trace, alive, wrong]))

    assert defects(tmp_path) == [f"emulator-1.log: {wrong}"]


@pytest.mark.parametrize("line", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("name", ["customers.log", "gateway.log.1", "emulator-2.log"])
def test_everything_else_is_one(tmp_path: Path, name: str, line: str) -> None:
    (tmp_path / name).write_text(f"{next(iter(SERVICE.values()))}\n{line}\n")

    assert defects(tmp_path) == [f"{name}: {line}"]
