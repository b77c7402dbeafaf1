"""Search by the beginnings of words.

A row keeps its words twice: one row a word in a table of terms, which finds by a rare word, and all
of them in one ``search_text`` column, which filters. Words are runs of letters and digits, case
and accents aside. FULLTEXT cannot do this: it has stop words, least lengths and operators.
"""

import itertools
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service_kit.database_connections import Connection

TERM_LENGTH = 64
"""Characters of a word that the table of terms keeps."""

RARE = 5000
"""A word with fewer rows than this is rare: its rows are fetched and sorted. Above it the newest
rows are walked through, which meets a common word soon."""


def fold(text: str) -> str:
    """Take case, accents and compatibility forms off (Unicode Standard Annex 15, NFKD)."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words(text: str) -> list[str]:
    """Return the runs of letters and digits of a text, folded, in their order."""
    runs = itertools.groupby(fold(text), str.isalnum)
    return ["".join(run) for is_word, run in runs if is_word]


def search_text(terms: Iterable[str]) -> str:
    """Return the text that filters: each word after a blank, each once."""
    return "".join(f" {word}" for word in dict.fromkeys(terms))


def stored_terms(terms: Iterable[str]) -> list[str]:
    """Return the words as the table of terms keeps them, each once."""
    return sorted({word[:TERM_LENGTH] for word in terms})


def asked_words(text: str) -> list[str]:
    """Return what a search asks for: its words, without those that begin another of them."""
    distinct = sorted(set(words(text)))
    followed = itertools.pairwise([*distinct, ""])
    return [word for word, following in followed if not following.startswith(word)]


@dataclass(frozen=True, slots=True)
class SearchedTable:
    """The names of a table that can be searched; all are ours, none comes from a request."""

    table: str
    columns: str
    terms: str
    reference: str
    walked_index: str
    living: str = "TRUE"

    async def page(
        self, connection: "Connection", search: str | None, before_id: int, rows: int
    ) -> list[tuple[Any, ...]]:
        """Return rows newest first, all or those that a search finds, from below an id on."""
        if search is None:
            return await self._walk(connection, [], before_id, rows)
        asked = asked_words(search)
        if not asked:
            return []
        counts = await self._counts(connection, asked)
        rarest = min(asked, key=lambda word: counts[word])
        if counts[rarest] == 0:
            return []
        if counts[rarest] < RARE:
            return await self._from_word(connection, rarest, asked, before_id, rows)
        return await self._walk(connection, asked, before_id, rows)

    async def replace_terms(
        self, connection: "Connection", row_id: int, terms: Iterable[str], *, is_new: bool = False
    ) -> None:
        """Write the words of a row, inside the transaction that writes the row."""
        if not is_new:
            await connection.execute(
                f"DELETE FROM {self.terms} WHERE {self.reference} = %s",
                row_id,
            )
        stored = stored_terms(terms)
        if stored:
            await connection.execute(
                f"INSERT INTO {self.terms} (term, {self.reference}) VALUES "
                + ", ".join(["(%s, %s)"] * len(stored)),
                *itertools.chain.from_iterable((term, row_id) for term in stored),
            )

    async def _counts(self, connection: "Connection", asked: list[str]) -> dict[str, int]:
        """Count the terms that begin with each word, no further than `RARE`."""
        count = (
            f"(SELECT COUNT(*) FROM (SELECT 1 FROM {self.terms} WHERE term LIKE %s"
            f" LIMIT {RARE}) AS some)"
        )
        row = await connection.fetch_one(
            "SELECT " + ", ".join([count] * len(asked)), *map(_term_prefix, asked)
        )
        assert row is not None  # noqa: S101  # a SELECT without FROM has one row
        return dict(zip(asked, row, strict=True))

    async def _from_word(
        self, connection: "Connection", rarest: str, asked: list[str], before_id: int, rows: int
    ) -> list[tuple[Any, ...]]:
        # A truncated term still has to be checked in full.
        rest = [word for word in asked if word != rarest or len(word) > TERM_LENGTH]
        return await connection.fetch_all(
            f"SELECT {self.columns} FROM (SELECT DISTINCT {self.reference} AS found_id"
            f" FROM {self.terms} WHERE term LIKE %s AND {self.reference} < %s) AS found"
            f" STRAIGHT_JOIN {self.table} ON id = found_id"
            f" WHERE {self.living}{_filter(rest)} ORDER BY id DESC LIMIT %s",
            _term_prefix(rarest),
            before_id,
            *map(_inside, rest),
            rows,
        )

    async def _walk(
        self, connection: "Connection", asked: list[str], before_id: int, rows: int
    ) -> list[tuple[Any, ...]]:
        return await connection.fetch_all(
            f"SELECT {self.columns} FROM {self.table} FORCE INDEX ({self.walked_index})"
            f" WHERE {self.living} AND id < %s{_filter(asked)} ORDER BY id DESC LIMIT %s",
            before_id,
            *map(_inside, asked),
            rows,
        )


def _term_prefix(word: str) -> str:
    # Words are letters and digits: nothing in them is a wildcard of LIKE.
    return f"{word[:TERM_LENGTH]}%"


def _filter(asked: list[str]) -> str:
    return " AND search_text LIKE %s" * len(asked)


def _inside(word: str) -> str:
    return f"% {word}%"
