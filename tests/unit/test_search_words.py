import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers_api.rules import CustomerDetails
from service_kit.search import asked_words, fold, search_text, stored_terms, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" \t\u3000", []),
        ("%_'\"\\;--", []),
        ("ACME", ["acme"]),
        ("ops@acme.com", ["ops", "acme", "com"]),
        ("Café Ñandú, S.L.", ["cafe", "nandu", "s", "l"]),
        ("cafe\u0301", ["cafe"]),
        ("Müller & Söhne", ["muller", "sohne"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("İstanbul", ["istanbul"]),
        ("ΣΊΣΥΦΟΣ σίσυφος", ["σισυφοσ", "σισυφοσ"]),
        ("ﬁne Ⅳ ½ \uff11\uff12", ["fine", "iv", "1", "2", "12"]),
        ("\u210cello \u3392", ["hello", "mhz"]),
        ("Москва́", ["москва"]),
        ("東京 大阪", ["東京", "大阪"]),
        ("27-inch 4K", ["27", "inch", "4k"]),
        ("a_b", ["a", "b"]),
        ("😀acme😀", ["acme"]),
    ],
)
def test_words_are_runs_of_letters_and_digits_case_and_accents_aside(
    text: str, found: list[str]
) -> None:
    assert words(text) == found


@given(st.text())
def test_a_word_consists_of_letters_and_digits_alone(text: str) -> None:
    assert all(word.isalnum() for word in words(text))


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(), st.data())
def test_every_beginning_of_a_word_asks_for_that_word(text: str, data: st.DataObject) -> None:
    found = words(text)
    if not found:
        return
    word = data.draw(st.sampled_from(found))
    beginning = word[: data.draw(st.integers(1, len(word)))]

    assert asked_words(beginning) == [beginning]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("", []),
        ("ops", ["ops"]),
        ("ops OPS ops", ["ops"]),
        ("ac acme acm", ["acme"]),
        ("ac acme b ba", ["acme", "ba"]),
        ("acme com", ["acme", "com"]),
        ("1 10 2 100", ["100", "2"]),
    ],
)
def test_a_word_that_begins_another_is_not_asked_for_twice(text: str, asked: list[str]) -> None:
    assert asked_words(text) == asked


@given(st.lists(st.text("ab", min_size=1, max_size=4)))
def test_whatever_has_all_asked_words_has_every_word_given(given_words: list[str]) -> None:
    asked = asked_words(" ".join(given_words))

    assert all(any(word.startswith(each) for word in asked) for each in given_words)
    assert set(asked) <= set(given_words)


def test_the_text_that_filters_has_each_word_once_after_a_blank() -> None:
    assert search_text(["acme", "ops", "acme", "com"]) == " acme ops com"
    assert search_text([]) == ""


def test_the_stored_terms_are_the_first_64_characters_of_each_word_once() -> None:
    assert stored_terms(["b", "a", "b"]) == ["a", "b"]
    assert stored_terms(["x" * 65, "x" * 66, "x" * 64]) == ["x" * 64]


@pytest.mark.parametrize(
    ("phone", "found"),
    [
        (None, []),
        ("+34 910 000 001", ["34", "910", "000", "001", "34910000001"]),
        ("(030) 5550003", ["030", "5550003", "0305550003"]),
        ("+-().", []),
        ("12345", ["12345"]),
    ],
)
def test_a_phones_digits_together_are_one_more_word(phone: str | None, found: list[str]) -> None:
    terms = CustomerDetails("ACME", "ops@acme.com", phone).terms()

    assert terms[:4] == ["acme", "ops", "acme", "com"]
    assert list(dict.fromkeys(terms[4:])) == found
