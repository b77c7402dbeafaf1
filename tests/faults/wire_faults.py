"""Hops that fail, each in its own way; and a Customers API that answers, but not as it should."""

import asyncio
import functools
from collections.abc import Awaitable, Callable

from tests.faults.scene import Scene, Strike
from tests.waiting import until
from tests.wires import Fault, Message

SHARE = 0.3
"""Of the messages on a hop that meet a fault while it lasts."""
DRIBBLE_SECONDS = 0.005
MEET_SECONDS = 60.0

_Act = Callable[[Scene, Message], Awaitable[bool]]


async def _lose_request(_scene: Scene, message: Message) -> bool:
    await message.hang_up_on_client()
    return False


async def _reset_after_delivery(_scene: Scene, message: Message) -> bool:
    await message.deliver()
    message.reset_client()
    await message.reply()
    return False


async def _lose_reply(_scene: Scene, message: Message) -> bool:
    await message.deliver()
    await message.reply()
    return False


async def _stay_silent(scene: Scene, message: Message) -> bool:
    """Hold the reply back for 30 s; it comes if somebody still waits for it."""
    await message.deliver()
    reply = await message.reply()
    await scene.last(30)
    await message.say(reply)
    return True


async def _dribble(_scene: Scene, message: Message) -> bool:
    await message.deliver()
    for byte in await message.reply():
        await message.say(bytes([byte]))
        await asyncio.sleep(DRIBBLE_SECONDS)
    return True


async def _say_half(_scene: Scene, message: Message) -> bool:
    await message.deliver()
    reply = await message.reply()
    await message.say(reply[: len(reply) // 2])
    return False


def _answer(head: str, body: bytes = b"") -> _Act:
    """Answer in place of the server, which does not hear of the request."""
    data = f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    async def act(_scene: Scene, message: Message) -> bool:
        await message.say(data)
        return True

    return act


async def _be_slow(scene: Scene, message: Message) -> bool:
    """Take longer than Orders waits, and then answer well."""
    await asyncio.sleep(max(2.5, scene.scale * 5))
    await message.deliver()
    return True


async def _on_hop(scene: Scene, hops: tuple[str, ...], what: str, act: _Act, share: float) -> None:
    """Let a share of the messages on a hop meet a fault: for a while, and until one has met it."""
    hop = scene.chance.choice(hops)
    wire = scene.stage.wires[hop]
    before = scene.struck[what]

    async def fault(message: Message) -> bool:
        scene.struck[what] += 1
        return await act(scene, message)

    def choose(_data: bytes) -> Fault | None:
        return fault if scene.chance.random() < share else None

    wire.choose = choose
    try:
        await scene.last(15)
        met = f"{what} to meet a message on {hop}"
        await until(lambda: scene.struck[what] > before, met, MEET_SECONDS)
    finally:
        wire.unset()


async def _refuse(scene: Scene, hops: tuple[str, ...]) -> None:
    """Take no connection for a while, and cut those that are there."""
    wire = scene.stage.wires[scene.chance.choice(hops)]
    await wire.close()
    try:
        scene.struck["connections refused"] += 1
        await scene.last(10)
    finally:
        await wire.open()


def wire_faults(hops: tuple[str, ...]) -> tuple[Strike, ...]:
    """Return the faults of hops."""
    acts: tuple[tuple[str, _Act], ...] = (
        ("request lost", _lose_request),
        ("reset after delivery", _reset_after_delivery),
        ("reply lost", _lose_reply),
        ("silence", _stay_silent),
        ("bytes dribbling", _dribble),
        ("half a reply", _say_half),
    )
    return (
        Strike("connections refused", functools.partial(_refuse, hops=hops)),
        *(
            Strike(what, functools.partial(_on_hop, hops=hops, what=what, act=act, share=SHARE))
            for what, act in acts
        ),
    )


_JSON = "Content-Type: application/json"
ASKED_FOR_CUSTOMERS = ("orders > customers", "orchestrator > customers")

STRANGE_CUSTOMERS = tuple(
    Strike(
        f"Customers API {what}",
        functools.partial(
            _on_hop, hops=ASKED_FOR_CUSTOMERS, what=f"Customers API {what}", act=act, share=1.0
        ),
    )
    for what, act in (
        ("slow", _be_slow),
        ("500", _answer(f"500 Internal Server Error\r\n{_JSON}", b'{"code":"INTERNAL_ERROR"}')),
        ("malformed", _answer(f"200 OK\r\n{_JSON}", b'{"id": 1, "name": "AC')),
        ("no HTTP", _answer("what is this")),
        ("lying of its type", _answer("200 OK\r\nContent-Type: text/html", b'{"id": 1}')),
        ("another customer", _answer(f"200 OK\r\n{_JSON}", b'{"id": 999999999}')),
        ("redirecting", _answer("302 Found\r\nLocation: http://127.0.0.1:9/customers/1")),
        ("somebody else's 404", _answer(f"404 Not Found\r\n{_JSON}", b'{"code":"NOT_FOUND"}')),
    )
)
