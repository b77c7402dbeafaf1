"""What chance chooses from: values that meet one another often, and the manner of a request."""

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.model.exchanges import NOBODY, OPERATOR, SERVICE, VIEWER

PICKS = st.integers(0, 999)
NAMES = st.sampled_from(["Acme", "Ácme del Norte", "De la Cruz", "Globex 99", "Söhne & Co."])
EMAILS = st.sampled_from(["ops", "Ops", "sales.one", "it"])
PHONES = st.sampled_from([None, "+34 600 111 222", "555-0199"])
LARGEST_PRICE = 10**12
PRICES = st.sampled_from([0, 1, 999, 129_900, LARGEST_PRICE])
STOCKS = st.sampled_from([10, 3, 1, 0, 10**6])
QUANTITIES = st.sampled_from([1, 1, 1, 2, 2, 3, 10, 10**6])
LINES = st.lists(st.tuples(PICKS, QUANTITIES), min_size=1, max_size=4)
CHANGES = st.one_of(
    st.fixed_dictionaries({"stock_delta": st.sampled_from([-10, -1, 1, 5, 10**9])}),
    st.fixed_dictionaries({"stock": STOCKS, "price_cents": PRICES}),
    st.fixed_dictionaries({"name": NAMES}),
)
TAGS = st.sampled_from(["any", "any", "current", "outdated"])
KEYS = st.sampled_from(["none", "new", "new", "used", "used"])
STEP_KEYS = st.sampled_from(["new", "new", "new", "used", "used", "none"])
STEPS = st.sampled_from([[], ["confirm"], ["cancel"], ["confirm", "cancel"], ["cancel", "confirm"]])
WORDS = st.sampled_from(["", "acme", "ácme", "D", "DE", "99", "zzz", "example.com", "600111", "SO"])
LIMITS = st.sampled_from([2, 3, 100])


@dataclass(frozen=True, slots=True)
class Manner:
    """How a request is made: by whom, where, and how often at once if it has a key."""

    caller: str
    at_gateway: bool
    is_twice: bool


MANNERS = st.builds(
    Manner,
    caller=st.sampled_from([*[OPERATOR] * 12, VIEWER, SERVICE, NOBODY]),
    at_gateway=st.booleans(),
    is_twice=st.sampled_from([False, False, True]),
)

PLAINLY = Manner(OPERATOR, at_gateway=True, is_twice=False)
