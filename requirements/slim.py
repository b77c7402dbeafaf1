# ruff: noqa: INP001 - run by the Dockerfiles, before any package of ours is there
"""Takes out of a folder of installed packages what no process of ours loads or serves.

``python slim.py FOLDER``, while an image is made:

- what linkers and debuggers alone read in a compiled module: 14 of uvloop's 16 MB;
- the editors that ``swagger_ui`` carries beside the page that we serve: 23 of its 25 MB.
"""

import struct
import sys
from pathlib import Path

SERVED_ASSETS = frozenset({"swagger-ui-bundle.js", "swagger-ui.css"})
"""What `service_kit.page` serves of ``swagger_ui/static``."""

# An ELF file of 64 bits, lowest byte first: x86_64 and arm64. Source: the System V ABI, "ELF
# header" and "Program header".
_MAGIC = b"\x7fELF\x02\x01"
_PROGRAM_HEADERS_AT = struct.Struct("<32xQ14xHH")
_SEGMENT = struct.Struct("<8xQ16xQ16x")
_SECTIONS_OFFSET_AT, _SECTIONS_COUNT_AT = 40, 60


def without_sections(module: bytes) -> bytes:
    """Return a compiled module without its section table and all that is in no segment.

    A process maps segments; symbols for linkers and debug information are in none. What is not
    such a module comes back as it is.
    """
    if not module.startswith(_MAGIC):
        return module
    start, size, count = _PROGRAM_HEADERS_AT.unpack_from(module)
    segments = (_SEGMENT.unpack_from(module, start + size * number) for number in range(count))
    end = max([start + size * count, *(offset + length for offset, length in segments)])
    kept = bytearray(module[:end])
    struct.pack_into("<Q", kept, _SECTIONS_OFFSET_AT, 0)
    struct.pack_into("<HH", kept, _SECTIONS_COUNT_AT, 0, 0)
    return bytes(kept)


def slim(folder: Path) -> int:
    """Make the packages smaller and return the bytes that are gone."""
    before = _size(folder)
    for module in folder.rglob("*.so*"):
        if module.is_file() and not module.is_symlink():
            module.write_bytes(without_sections(module.read_bytes()))
    for assets in folder.rglob("swagger_ui/static"):
        for asset in assets.rglob("*"):
            if asset.is_file() and asset.name not in SERVED_ASSETS:
                asset.unlink()
    return before - _size(folder)


def _size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    sys.stdout.write(f"{slim(Path(sys.argv[1])) / 1e6:.1f} MB less\n")
