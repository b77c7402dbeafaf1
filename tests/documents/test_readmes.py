"""README.md and README.es.md: two languages, one content."""

from itertools import zip_longest
from typing import Any

import pytest

from tests.documents.readme import ROOT, Section, read, sections

ENGLISH, SPANISH = "README.md", "README.es.md"
OTHER_LANGUAGE = {ENGLISH: SPANISH, SPANISH: ENGLISH}


def parts(section: Section) -> dict[str, Any]:
    """Return what must be the same in every language."""
    links = {link for link in section.links if link not in OTHER_LANGUAGE}
    return {
        "heading": section.level,
        "code": [(block.language, block.meaning) for block in section.blocks],
        "names": section.names,
        "links": links,
        "numbers": section.numbers,
        "table rows": section.rows,
    }


def differences(english: list[Section], spanish: list[Section]) -> list[str]:
    """Return one line for each part that is not the same in both."""
    nothing = Section(0, "(nothing)", "")
    return [
        f"{one.title} / {other.title}: {name}: {_only_in(mine, yours)} / {_only_in(yours, mine)}"
        for one, other in zip_longest(english, spanish, fillvalue=nothing)
        for (name, mine), yours in zip(parts(one).items(), parts(other).values(), strict=True)
        if mine != yours
    ]


def _only_in(mine: Any, yours: Any) -> Any:
    if isinstance(mine, list):
        return [part for part in mine if part not in yours]
    return mine if isinstance(mine, int) else mine - yours


def test_both_readmes_name_the_same_commands_variables_routes_links_and_numbers() -> None:
    told = differences(read(ENGLISH), read(SPANISH))

    assert not told, "\n".join([f"{ENGLISH} / {SPANISH} differ:", *told])


@pytest.mark.parametrize("name", OTHER_LANGUAGE)
def test_each_leads_to_the_other_at_its_head(name: str) -> None:
    head = "".join(section.text for section in read(name)[:2])

    assert f"]({OTHER_LANGUAGE[name]})" in head


@pytest.mark.parametrize("name", OTHER_LANGUAGE)
def test_every_link_into_the_project_leads_somewhere(name: str) -> None:
    links = {link for section in read(name) for link in section.links if ":" not in link}

    assert links
    assert [link for link in links if not (ROOT / link.partition("#")[0]).exists()] == []


TEXT = """# Title

## Use

Run `scripts/up` within 0.6 s ([why](docs/why.md)).

```bash
curl -s $API/orders   # all of them
```

```mermaid
flowchart LR
    you([you]) -->|"asks"| gateway["gateway :3000"]
```
"""


def test_a_translation_of_the_words_alone_is_the_same() -> None:
    translated = (
        TEXT.replace("Title", "Título")
        .replace("Run `scripts/up` within 0.6 s", "En 0,6 s, ejecute `scripts/up`")
        .replace("[why]", "[por qué]")
        .replace("all of them", "todos")
        .replace("[you]", "[usted]")
        .replace('"asks"', '"pide"')
    )

    assert differences(sections(TEXT), sections(translated)) == []


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("$API/orders", "$API/customers", "code"),
        ("gateway[", "portal[", "code"),
        ("`scripts/up`", "`scripts/down`", "names"),
        ("docs/why.md", "docs/how.md", "links"),
        ("0.6 s", "0.7 s", "numbers"),
        ("## Use", "### Use", "heading"),
        ("Run", "| a | row |\nRun", "table rows"),
    ],
)
def test_what_is_not_the_same_is_told(old: str, new: str, part: str) -> None:
    (difference,) = differences(sections(TEXT), sections(TEXT.replace(old, new)))

    assert f"Use / Use: {part}:" in difference


@pytest.mark.parametrize("name", OTHER_LANGUAGE)
def test_the_table_of_scripts_has_all_of_them(name: str) -> None:
    rows = [line for line in (ROOT / name).read_text().splitlines() if line.startswith("| `")]
    scripts = [file.name for file in (ROOT / "scripts").iterdir() if file.name[0] not in "._"]

    assert [s for s in sorted(scripts) if not any(f"`scripts/{s}" in row for row in rows)] == []
