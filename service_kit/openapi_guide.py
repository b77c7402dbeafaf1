"""What holds for all calls, in a user's words: of this the documents' introductions are made."""

WHO_MAY_CALL = """\
## Who may call

Send `Authorization: Bearer <token>`. An operator's token is a JWT; with the role `viewer` it reads
and does not write (403 `FORBIDDEN`). `scripts/token` prints one for the system that runs here. A
token that is missing, wrong or too old is answered by 401 `UNAUTHORIZED`."""

SERVICES_TOO = """\
Where an operation takes it, another service calls with the services' token instead
(`scripts/token --service`)."""

SERVICES_AT_THE_GATEWAY = """\
Products and orders take the services' token (`scripts/token --service`) as well; nobody needs it
here."""

ERRORS = """\
## When a call is refused

The answer is `application/problem+json` (RFC 9457). Read `code`: it is stable, and each operation
lists those that it has. `detail` is a sentence for a person, `errors` lists the single facts: every
part of the input that does not fit, every product that is short. `correlation_id`, also the header
`X-Correlation-Id` of every answer, is how the request is found in the logs.

After 503 wait as long as `Retry-After` says, and repeat. A method that a path does not know is
answered by 405, and `Allow` names those that it knows; `HEAD` is known wherever `GET` is."""

ORCHESTRATOR_ERRORS = """\
## When the orchestrator refuses

Its answer is `{"success": false, "correlationId", "error": {"code", "message", "errors"}}`, under
the status and the code of the step that refused. `code` is stable. After 503 and 504 repeat the
call with the same `idempotency_key`: it finishes the work, whatever was done before, as long as the
key lives: 24 hours, unless the installation keeps keys for another time."""

LIMITS_OF_CALLS = """\
## Too many calls, and no answer

A caller who calls too often is told so (429 `RATE_LIMITED`), and by `Retry-After` when to go on.
After 503 `UPSTREAM_UNAVAILABLE` and 504 `UPSTREAM_TIMEOUT` nobody knows what became of a write that
had no key."""

INPUT = """\
## What is sent

JSON in UTF-8, 1 MiB at most, as `application/json` or another type that ends in `+json`; a body
without a `Content-Type` is taken for JSON. Fields that are not known are refused. Texts are trimmed
and put in Unicode's NFC; what a schema says of their length and form holds after that. Money is in
cents, times are UTC (RFC 3339, with `Z`)."""

LISTS = """\
## Lists

A list is newest first and comes in pages of `limit` rows (20 unless given). Follow `next_cursor`
until it is `null`: every row that was there all the while is shown once, whatever comes and goes
meanwhile."""

VERSIONS = """\
## Versions

A single resource comes with an `ETag`. Send it back as `If-None-Match` to read only what has
changed (304). Where `PUT`, `PATCH` or `DELETE` takes `If-Match`, send it back as that to change
only what you have seen (412 `PRECONDITION_FAILED`); `If-None-Match` is refused by the same code
there if it names the present version, or is `*`. To confirm or to cancel an order takes no
`If-Match`: the order's status decides."""

REPEATS = """\
## Repeating a call

A request with an `X-Idempotency-Key` can be repeated until it is answered: the same operation with
the same input gets the first response again, byte for byte, with `Idempotent-Replayed: true`.
Anything else under that key is refused (422 `IDEMPOTENCY_KEY_REUSED`), unless it does not even fit
its schema, which is told first (`VALIDATION_FAILED`). A request that was refused had no effect and
leaves its key free.

A key lives for 24 hours, unless the installation keeps keys for another time
(`IDEMPOTENCY_TTL_SECONDS`). After that it is free, and the same request acts again."""


def introduction(*parts: str) -> str:
    """Return parts of Markdown as one text; lines within a paragraph are joined."""
    paragraphs = "\n\n".join(parts).split("\n\n")
    return "\n\n".join(" ".join(paragraph.splitlines()) for paragraph in paragraphs)
