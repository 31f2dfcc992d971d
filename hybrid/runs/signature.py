"""Signing the head of a record's chain with an SSH key, by the person or the site that answers for it.

What is signed is a text of three lines, which follows from the folder:

    hybrid run
    rows 61
    head 2fe6d698...

It is the head of the row of the result, which stands for all that was asked, every value and the result itself
(`hybrid.runs.chain`); rows and head are those of the chain up to there. Of an algorithm or a benchmark they are those
of the chain of its stages, which holds the heads of their journals: one signature stands for the whole. Of a record
from which words were withheld (`hybrid.runs.redaction`) a fourth line follows, ``redaction`` and the SHA-256 of
redaction.json, which stands for what is left. A signature without it is of the record as it was before.
Signatures lie beside the journal, one file for each key, as OpenSSH's ``ssh-keygen -Y sign -n hybrid-run`` makes them;
who may sign, and with which key, says a file of allowed signers in OpenSSH's format, which the reader keeps.
"""

import base64
import hashlib
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from circuits.errors import Refused
from hybrid.runs import chain, journal, redaction
from hybrid.runs.evidence import examine
from hybrid.runs.files import read_bytes, write
from hybrid.runs.kinds import check_record

NAMESPACE = "hybrid-run"
"""So that no signature that was made for something else is taken for one of a run."""

PROGRAM = "ssh-keygen"

PREAMBLE = b"SSHSIG"


@dataclass(frozen=True)
class Signature:
    """What became of one signature.

    Attributes:
        file: Its name.
        key: Fingerprint of the key, as OpenSSH writes it; empty for a file that is no signature.
        row: Of the result in the chain that it stands for; None if it stands for none of this record.
        signer: Who has signed, by the file of allowed signers; empty if it does not know the key, or was not given.
        reason: Why it is not good; empty if it is.
        left: Whether it stands for the record as it is here; otherwise for that from which words were withheld since.
    """

    file: str
    key: str
    row: int | None
    signer: str = ""
    reason: str = ""
    left: bool = True


def message(rows: int, head: str, withheld: str = "") -> bytes:
    """What is signed.

    Args:
        rows: Of the chain, up to the result.
        head: Of the last of them, in hexadecimal.
        withheld: SHA-256 of redaction.json; empty for a record that is as it was made.
    """
    last = f"redaction {withheld}\n" if withheld else ""
    return f"hybrid run\nrows {rows}\nhead {head}\n{last}".encode()


def sign(folder: Path, key: Path) -> Path:
    """Sign the head of a run, an algorithm or a benchmark that has ended.

    Args:
        folder: Its path.
        key: A private SSH key, or the public half of one that an agent or a token holds; a passphrase is asked for on
            the terminal.

    Returns:
        Path of the signature, in the folder; one by the same key is replaced.

    Raises:
        Refused: if the folder holds none, or one that has not ended or was changed since; if OpenSSH is not installed,
            or cannot sign with the key.
        RecordFailed: if the signature cannot be written.
    """
    check_record(folder)
    found = examine(folder)
    if found.faults:
        raise Refused(f"{folder} was changed after it was written: {chain.told(found.faults)}: it is not signed")
    if not found.chained:
        raise Refused(f"{folder} was made before records were chained: it has no head that could be signed")
    if not found.sealed or found.seal is None:
        raise Refused(f"{folder} has not ended ({chain.told(found.open)}): resume it, then sign it")
    if not key.is_file():
        raise Refused(f"{key}: no such key; make one with ssh-keygen -t ed25519 -f {key}")
    made = _run(["sign", "-q", "-f", str(key), "-n", NAMESPACE], message(*found.seal, redaction.read(folder).sha256))
    if made.returncode:
        raise Refused(f"{PROGRAM} cannot sign with {key}: {_words(made)}")
    path = folder / f"signature-{_key(made.stdout)[0]}.sig"
    write(path, made.stdout)
    return path


def signatures(folder: Path, signers: Path | None = None) -> list[Signature]:
    """What has become of the signatures of a run, an algorithm or a benchmark.

    Args:
        folder: Its path.
        signers: A file of allowed signers; None to look only whether the signatures are of this record.

    Raises:
        Refused: if there is no such file or record, OpenSSH is not installed, or the journal is no database any more.
        RecordFailed: if a file cannot be read.
    """
    if signers is not None and not signers.is_file():
        raise Refused(f"{signers}: no such file of allowed signers, each of whom is a line: NAME KEY")
    files = sorted(folder.glob("signature-*.sig"))
    written = journal.read_chain(folder / check_record(folder).journal) if files else None
    heads = () if written is None else written.seals
    withheld = redaction.read(folder).sha256
    return [_looked_at(file, heads, signers, withheld) for file in files]


def _looked_at(file: Path, heads: Sequence[tuple[int, str]], signers: Path | None, withheld: str) -> Signature:
    try:
        _, key = _key(read_bytes(file))
    except ValueError:
        return Signature(file.name, "", None, reason="is no signature of OpenSSH's")
    for row, head in reversed(heads):
        for digest in dict.fromkeys((withheld, "")):
            signed = message(row, head, digest)
            checked = _run(["check-novalidate", "-n", NAMESPACE, "-s", str(file)], signed)
            if checked.returncode == 0:
                return _by_whom(Signature(file.name, key, row, left=digest == withheld), file, signed, signers)
    return Signature(file.name, key, None, reason="is not of this record")


def _by_whom(good: Signature, file: Path, signed: bytes, signers: Path | None) -> Signature:
    if signers is None:
        return good
    found = _run(["find-principals", "-s", str(file), "-f", str(signers)])
    names = found.stdout.decode(errors="replace").split("\n")[0].split(",")[:1] if found.returncode == 0 else []
    for name in names:
        checked = _run(["verify", "-f", str(signers), "-I", name, "-n", NAMESPACE, "-s", str(file)], signed)
        if checked.returncode == 0:
            return replace(good, signer=name)
        return replace(good, reason=f"{name} may not sign with this key: {_words(checked)}")
    return replace(good, reason=f"its key is not in {signers.name}")


def _key(signature: bytes) -> tuple[str, str]:
    """The key with which something was signed: a short name for files, and OpenSSH's fingerprint.

    Raises:
        ValueError: if it is no signature.
    """
    armored = re.fullmatch(rb"\s*-----BEGIN SSH SIGNATURE-----\s(.*)-----END SSH SIGNATURE-----\s*", signature, re.S)
    content = base64.b64decode(b"".join(armored[1].split()), validate=True) if armored else b""
    if not content.startswith(PREAMBLE) or len(content) < len(PREAMBLE) + 8:
        raise ValueError("no signature")
    at = len(PREAMBLE) + 4  # the version
    length = int.from_bytes(content[at : at + 4], "big")
    digest = hashlib.sha256(content[at + 4 : at + 4 + length]).digest()
    return digest.hex()[:16], "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _run(arguments: Sequence[str], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = shutil.which(PROGRAM)
    if program is None:
        raise Refused(f"{PROGRAM} is not installed: signatures need OpenSSH 8.2 or newer (Debian: openssh-client)")
    return subprocess.run([program, "-Y", *arguments], input=given, capture_output=True)


def _words(ended: subprocess.CompletedProcess[bytes]) -> str:
    lines = (ended.stderr or ended.stdout).decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it ended with {ended.returncode}"


Outcome = Literal["passed", "failed", "unchecked", "none"]


def judged(found: Sequence[Signature], last: int | None, *, asked: bool) -> tuple[Outcome, str]:
    """The signatures of a run in one sentence, and whether that is good.

    Args:
        found: All of them.
        last: Row of the last result in the chain, for which a signature should stand; None before the first.
        asked: Whether a file of allowed signers was given: then one of these must have signed.
    """
    if not found:
        return ("failed", "nobody has signed it") if asked else ("none", "nobody has signed it")
    sentences = [_sentence(one, last) for one in found]
    if any(one.row is None for one in found):
        return "failed", "; ".join(sentences)
    if not asked:
        return "passed", f"{'; '.join(sentences)}; whose keys they are, --signers says"
    known = [one for one in found if one.signer and one.row == last]
    if known and not any(one.left for one in known):
        return "unchecked", f"{'; '.join(sentences)}: what is left of it is signed by nobody whom --signers knows"
    return "passed" if known else "failed", "; ".join(sentences)


def _sentence(one: Signature, last: int | None) -> str:
    if one.row is None:
        return f"{one.file} {one.reason}"
    until = "" if one.row == last else f", as far as row {one.row}, before its last result in row {last}"
    by, before = one.signer or "somebody", "" if one.left else ", before words were withheld from it"
    return f"signed by {by} with {one.key}{until}{before}" + (f" ({one.reason})" if one.reason else "")
