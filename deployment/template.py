"""The packaged CloudFormation template in a form that a person can read."""

from typing import Any

import yaml


class _Readable(yaml.SafeDumper):
    """No anchors: what is the same twice is written twice."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def readable(template: dict[str, Any]) -> str:
    """Return the template as YAML, in the order of the original."""
    text: str = yaml.dump(
        template, Dumper=_Readable, sort_keys=False, width=100, allow_unicode=True
    )
    return text


def resources(template: dict[str, Any]) -> dict[str, str]:
    """Return the type of each resource, by its name."""
    return {name: resource["Type"] for name, resource in template["Resources"].items()}
