"""Keys of an API: who may ask, and how they are called in the logs."""

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path

from headway.errors import UsageError, file_name

VARIABLE = "HEADWAY_KEYS"
SHORTEST = 16


class Keys:
    """Names by key. A key is compared with every known one in the same time, whatever it is."""

    def __init__(self, known: Mapping[str, str]):
        """known    keys by the names of their owners"""
        self._digests = {name: _digest(key) for name, key in known.items()}

    def owner(self, given: str) -> str | None:
        """Whose key this is."""
        found, digest = None, _digest(given)
        for name, known in self._digests.items():
            if hmac.compare_digest(digest, known):
                found = name
        return found

    @classmethod
    def read(cls, text: str, where: str) -> "Keys":
        """`name:key` a line, # comments. Raises UsageError, which never shows a key."""
        known: dict[str, str] = {}
        for number, line in enumerate(text.splitlines(), 1):
            line = line.partition("#")[0].strip()
            if not line:
                continue
            name, sign, key = (part.strip() for part in line.partition(":"))
            if not sign or not name or name in known:
                raise UsageError(f"{where}:{number}: expected name:key, each name once")
            if len(key) < SHORTEST or not key.isascii() or not key.isprintable():
                raise UsageError(
                    f"{where}:{number}: the key of {name!r} needs {SHORTEST} printable ASCII characters or more, as "
                    'python -c "import secrets; print(secrets.token_urlsafe())" makes it'
                )
            known[name] = key
        if not known:
            raise UsageError(f"{where} holds no key: a line each, name:key")
        return cls(known)

    @classmethod
    def of(cls, file: Path | None, environment: Mapping[str, str]) -> "Keys | None":
        """Those of a file, or of the environment; None where there are none. Raises UsageError."""
        if file is not None:
            try:
                return cls.read(file.read_text(encoding="utf-8"), file_name(file))
            except (OSError, UnicodeDecodeError) as error:
                raise UsageError(f"--keys {file_name(file)} cannot be read: {error}") from None
        text = environment.get(VARIABLE, "").replace(",", "\n")
        return cls.read(text, VARIABLE) if text.strip() else None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
