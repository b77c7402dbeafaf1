"""A function that runs into its own timeout in the middle of its work."""

import asyncio
import os
import signal

import pytest

from tests.builders import a_product, stock_of
from tests.faults.run import gateway
from tests.faults.scene import kill, owner_of_port
from tests.faults.stage import Stage
from tests.system.load import finished
from tests.system.orchestrations import PATH, a_request, failure_of, orders_of
from tests.wires import Fault, Message

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


def test_timed_out_between_its_steps_and_its_emulator_killed_the_same_key_finishes_once(
    wired_stage: Stage,
) -> None:
    wired_stage.run(_timed_out_and_finished(wired_stage))


async def _timed_out_and_finished(stage: Stage) -> None:
    wire = stage.wires["orchestrator > orders"]
    stopped: list[int] = []

    async def stop_the_function(message: Message) -> bool:
        wire.unset()
        function = owner_of_port(stage.system.run_dir, message.client_port)
        assert function is not None
        os.kill(function, signal.SIGSTOP)
        stopped.append(function)
        return False

    def choose(request: bytes) -> Fault | None:
        return stop_the_function if b"/confirm" in request.partition(b"\r\n")[0] else None

    async with gateway(stage) as api:
        product = await a_product(api, stock=10)
        request = a_request(product, 3)
        wire.choose = choose

        answer = await api.post(PATH, request)

        assert failure_of(answer) == (504, "UPSTREAM_TIMEOUT")
        assert [order["status"] for order in await orders_of(api, product)] == ["CREATED"]
        for emulator in ("emulator-1", "emulator-2"):
            state = (await asyncio.to_thread(stage.system.supervisor.states))[emulator]
            kill(state.pid)
        again = await finished(api, request)
        assert again.status == 201
        assert again.json["data"]["order"]["status"] == "CONFIRMED"
        assert len(await orders_of(api, product)) == 1
        assert await stock_of(api, product) == 7
    kill(stopped[0])  # where the emulator did not do it
    assert stage.new_defects() == []
