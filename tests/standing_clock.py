"""A clock that tests move."""


class Clock:
    """Stands still unless a test moves it."""

    def __init__(self) -> None:
        self.seconds = 1000.0
