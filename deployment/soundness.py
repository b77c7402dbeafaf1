"""Whether the function would start with what it is told, found out before it is deployed."""

from collections.abc import Mapping

from local_system.failures import LocalSystemError
from service_kit.settings import Environment, SettingsError

BASES = ("CUSTOMERS_API_BASE", "ORDERS_API_BASE")
"""The settings that are addresses."""

_FILLED_IN = ("${", "{{")
"""osls fills in the first wherever a value comes from, the deployer's own environment included, and
CloudFormation the second: the function would be told something else than what was written."""


def check(settings: Mapping[str, str]) -> None:
    """Check settings by the function's own rules.

    Raises:
        LocalSystemError: names all that is wrong.
    """
    environment = Environment(settings)
    for name in settings:
        (environment.url if name in BASES else environment.text)(name)
    mistakes = [
        f"{name} must not contain {mark}"
        for name, value in settings.items()
        for mark in _FILLED_IN
        if mark in value
    ]
    try:
        environment.check()
    except SettingsError as wrong:
        mistakes = [*wrong.mistakes, *mistakes]
    if mistakes:
        raise LocalSystemError(f"the function cannot work with that: {'; '.join(mistakes)}")
