"""What is in an image, in every layer of it, also what a later layer hides."""

import gzip
import subprocess
import tarfile
from collections.abc import Iterable, Sequence

_GZIP = b"\x1f\x8b"


def found_in(images: Sequence[str], needles: Iterable[str]) -> set[str]:
    """Return those of the texts that stand anywhere in the images: files, names, configuration."""
    searched = {needle: needle.encode() for needle in needles}
    found: set[str] = set()
    command = ["docker", "save", *images]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as saving,
        tarfile.open(fileobj=saving.stdout, mode="r|") as archive,
    ):
        for member in archive:
            stream = archive.extractfile(member)
            if stream is None:
                continue
            content = stream.read()
            if content.startswith(_GZIP):
                content = gzip.decompress(content)
            found |= {text for text, sought in searched.items() if sought in content}
    assert saving.returncode == 0
    return found
