"""What tells an answer from memory from the first one."""

from tests.apis import Answer

REPLAYED_HEADERS = ("Location", "ETag", "Content-Type")


def check_replay(again: Answer, first: Answer) -> None:
    """Check that an answer is the first one, byte for byte, and says so."""
    assert again.headers.get("Idempotent-Replayed") == "true", again.body
    assert (again.status, again.body) == (first.status, first.body)
    for name in REPLAYED_HEADERS:
        assert again.headers.get(name) == first.headers.get(name)


def check_first(answer: Answer, status: int = 201) -> None:
    """Check that a request acted, rather than being answered from memory."""
    assert answer.status == status, answer.body
    assert "Idempotent-Replayed" not in answer.headers
