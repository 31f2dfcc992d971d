"""Words that say where and by whom a run was made, and are withheld when a record is redacted."""

import os
import pwd
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

KINDS = ("host", "user", "path", "job", "account", "site", "price", "word")
"""Of what may be withheld; "word" is what a policy names."""

USUAL = ("host", "user", "path", "job", "account", "site", "word")
"""Of what is withheld where nobody says more: prices are kept."""

PERSONS_FROM = 1000
"""Numbers of users below are those of the system, such as root, whose names say nothing of a person."""

ACCOUNT_KEYS = re.compile(
    r"instance|account\w*|project\w*|hub|tenant|subscription\w*|workspace|resource_group|organi[sz]ation"
    r"|reservation\w*|s3_\w+|bucket",
    re.IGNORECASE,
)
SITE_KEYS, JOB_KEYS, PRICE_KEYS = (
    re.compile("site"),
    re.compile("job|jobs|job_id|tag"),
    re.compile(r"(\w+_)?usd(_\w+)?"),
)

PATTERNS = {
    "account": re.compile(r"crn:[^\s\"']+|arn:aws[\w-]*:[^\s:]*:[^\s:]*:\d{12}:[^\s\"']+"),
    "user": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "host": re.compile(r"(?<=://)(?:\[[0-9a-fA-F:]+\]|[\w.-]+)(?::\d+)?|\b\d{1,3}(?:\.\d{1,3}){3}\b"),
    "path": re.compile(r"(?<![\w/.\])])~?(?:/[^\s/\"'<>|:;,()\[\]{}]+)+/?|\b[A-Za-z]:\\[^\s\"']+"),
    "price": re.compile(r"(?:\$|US\$|USD )\s?\d[\d,]*(?:\.\d+)?"),
}
"""In this order: an address of the web is not taken for a path."""


class Found(NamedTuple):
    """A word in a text.

    Attributes:
        kind: One of `KINDS`.
        word: As it stands there.
    """

    kind: str
    word: str


@dataclass(frozen=True)
class Words:
    """What is withheld.

    Attributes:
        kinds: Of `KINDS`.
        known: Names that are looked for wherever they stand as words of their own, each with its kind: of this machine,
            of the one who exports, of sites.
    """

    kinds: frozenset[str] = frozenset(USUAL)
    known: Mapping[str, str] = field(default_factory=dict)

    def inside(self, text: str) -> list[Found]:
        """What is to be withheld of a text, the longest first.

        Args:
            text: Any text.
        """
        found = [Found("path", text)] if "path" in self.kinds and _is_path(text) else list(self._found(text))
        return sorted(dict.fromkeys(found), key=lambda one: -len(one.word))

    def _found(self, text: str) -> Iterator[Found]:
        for kind, pattern in PATTERNS.items():
            if kind in self.kinds:
                yield from (Found(kind, match[0]) for match in pattern.finditer(text))
        for word, kind in self.known.items():
            if kind in self.kinds and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text):
                yield Found(kind, word)

    @staticmethod
    def without(text: str, word: str, mark: str) -> str:
        """A text with a mark wherever a word stands that is no part of a longer one.

        Args:
            text: Any text.
            word: To be replaced.
            mark: What stands there instead.
        """
        left, right = r"(?<!\w)" * (word[0].isalnum()), r"(?!\w)" * (word[-1].isalnum())
        return re.sub(f"{left}{re.escape(word)}{right}", lambda _: mark, text)

    def at(self, key: str, value: Any) -> str:
        """The kind of a value that is withheld whole because of the key that it stands under; empty for others.

        Args:
            key: In JSON, or of a column.
            value: What stands there.
        """
        if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
            return ""
        keys = {"account": ACCOUNT_KEYS, "site": SITE_KEYS, "job": JOB_KEYS, "price": PRICE_KEYS}
        kind = next((kind for kind, pattern in keys.items() if pattern.fullmatch(key)), "")
        return kind if kind in self.kinds and (isinstance(value, str) or kind == "price") else ""

    def with_known(self, more: Mapping[str, str]) -> "Words":
        """With further names.

        Args:
            more: Each with its kind.
        """
        return Words(self.kinds, {**self.known, **{word: kind for word, kind in more.items() if word}})


def _is_path(text: str) -> bool:
    """Whether a whole text is the path of a file, blanks in it included."""
    return text.startswith(("/", "~/")) and len(text) > 2 and text[1:2] not in ("/", " ") and "\n" not in text


def words_here(kinds: frozenset[str] = frozenset(USUAL)) -> Words:
    """What is withheld, with the names of this machine and of the user of this process.

    Args:
        kinds: Of `KINDS`.
    """
    name = os.uname().nodename
    known = {name: "host", name.partition(".")[0]: "host"}
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:  # in a container whose user has no name
        entry = None
    if entry is not None and entry.pw_uid >= PERSONS_FROM:
        known |= {entry.pw_name: "user", entry.pw_gecos.partition(",")[0]: "user"}
    return Words(kinds).with_known({word: kind for word, kind in known.items() if word != "localhost"})
