"""What a README has besides its sentences: headings, code, names, links and numbers."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SHELL_COMMENT = re.compile(r"(?:^|\s+)# .*$", re.MULTILINE)
_DIAGRAM_WORDS = re.compile(r"\|[^|\n]*\||(?<=\w)[\[({]+[^\n]*?[\])}]+")


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced block; ``language`` is empty where the fence names none."""

    language: str
    text: str

    @property
    def meaning(self) -> str:
        """The block without what is written for people: comments, and a diagram's words."""
        if self.language == "bash":
            lines = _SHELL_COMMENT.sub("", self.text).splitlines()
            return "\n".join(line.rstrip() for line in lines if line.strip())
        if self.language == "mermaid":
            return _DIAGRAM_WORDS.sub("", self.text)
        return self.text


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with all that stands below it, to the next one; the head has level 0."""

    level: int
    title: str
    text: str

    @property
    def blocks(self) -> list[CodeBlock]:
        """The fenced blocks, in their order."""
        return [CodeBlock(*found.groups()) for found in _FENCE.finditer(self.text)]

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def names(self) -> Counter[str]:
        """What is written as code within sentences: variables, routes, scripts, codes."""
        return Counter(" ".join(name.split()) for name in _INLINE_CODE.findall(self.prose))

    @property
    def links(self) -> Counter[str]:
        """Where the links lead."""
        return Counter(_LINK.findall(self.prose))

    @property
    def numbers(self) -> Counter[str]:
        """The runs of digits: 0.6 and 0,6 have the same."""
        return Counter(re.findall(r"\d+", _LINK.sub("", _INLINE_CODE.sub("", self.prose))))

    @property
    def rows(self) -> int:
        """The number of the lines of its tables."""
        return sum(line.startswith("|") for line in self.prose.splitlines())


def sections(text: str) -> list[Section]:
    """Return the sections of a Markdown text, in their order."""
    return list(_sections(text))


def read(name: str) -> list[Section]:
    """Return the sections of a file of the project."""
    return sections((ROOT / name).read_text(encoding="utf-8"))


def _sections(text: str) -> Iterator[Section]:
    level, title, lines, is_code = 0, "", list[str](), False
    for line in text.splitlines(keepends=True):
        is_code ^= line.startswith("```")
        heading = re.match(r"(#+) (.*)", line)
        if heading and not is_code:
            yield Section(level, title, "".join(lines))
            level, title, lines = len(heading[1]), heading[2].strip(), []
        else:
            lines.append(line)
    yield Section(level, title, "".join(lines))
