"""Processes that are killed: at random, and at the very moment that hurts most."""

import functools
import os
import signal

from local_system.programs import CUSTOMERS, GATEWAY, ORDERS
from tests.faults.scene import Scene, Strike, children, kill, owner_of_port
from tests.faults.stage import FUNCTION_SECONDS
from tests.integration.cutting_proxy import is_statement
from tests.waiting import until
from tests.wires import Fault, Message

AIM_SECONDS = 30.0


async def _kill_program(scene: Scene, name: str) -> None:
    if kill(await scene.pid_of(name)):
        scene.struck[f"kill -9 {name}"] += 1


async def _kill_child(scene: Scene, program: str, what: str) -> None:
    """Kill a worker of a service, or the function of an emulator."""
    found = children(await scene.pid_of(program))
    if found and kill(scene.chance.choice(found)):
        scene.struck[f"kill -9 {what}"] += 1


async def _freeze_function(scene: Scene) -> None:
    """Stop the function in the middle of what it does, in a long run past its own timeout."""
    found = children(await scene.pid_of("emulator-1"))
    if not found:
        return
    os.kill(found[0], signal.SIGSTOP)
    scene.struck["function stopped in the middle"] += 1
    await scene.last(2 * FUNCTION_SECONDS)
    kill(found[0])


async def _killed_at(
    scene: Scene, hop: str, aim: bytes, name: str, *, is_delivered: bool, is_http: bool = False
) -> None:
    """Kill whoever sends this, before it arrives, or after it was done and before the reply."""
    wire = scene.stage.wires[hop]
    killed: list[int] = []

    async def fault(message: Message) -> bool:
        wire.unset()
        sender = owner_of_port(scene.stage.system.run_dir, message.client_port)
        if is_delivered:
            await message.deliver()
            await message.reply()
        if sender is not None and kill(sender):
            killed.append(sender)
        return False

    def choose(data: bytes) -> Fault | None:
        meets = aim in data.partition(b"\r\n")[0] if is_http else is_statement(data, aim)
        return fault if meets else None

    wire.choose = choose
    try:
        await until(lambda: bool(killed), f"{name}: nobody sends {aim!r}", AIM_SECONDS)
    finally:
        wire.unset()
    scene.struck[f"kill -9 {name}"] += 1


KILLS = (
    *(
        Strike(f"kill -9 {name}", functools.partial(_kill_program, name=name))
        for name in (ORDERS, CUSTOMERS, GATEWAY, "emulator-1", "emulator-2")
    ),
    *(
        Strike(f"kill -9 {what}", functools.partial(_kill_child, program=program, what=what))
        for program, what in (
            (ORDERS, "a worker of orders"),
            (CUSTOMERS, "a worker of customers"),
            ("emulator-1", "a function"),
        )
    ),
)
"""At random moments."""

AIMED_KILLS = tuple(
    Strike(
        f"kill -9 {name}",
        functools.partial(
            _killed_at, hop="orders > database", aim=aim, name=name, is_delivered=is_delivered
        ),
    )
    for name, aim, is_delivered in (
        ("before COMMIT", b"COMMIT", False),
        ("between COMMIT and the reply", b"COMMIT", True),
        ("in the middle of a cancel", b"UPDATE orders SET status = 'CANCELED'", True),
    )
)
"""A worker of the Orders API, seen from its wire to the database."""

KILL_BETWEEN_CREATE_AND_CONFIRM = Strike(
    "kill -9 between create and confirm",
    functools.partial(
        _killed_at,
        hop="orchestrator > orders",
        aim=b"/confirm",
        name="between create and confirm",
        is_delivered=False,
        is_http=True,
    ),
)
"""The function, at its request for the confirmation."""

FROZEN_FUNCTION = Strike("function stopped in the middle", _freeze_function)
