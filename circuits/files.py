"""Files that users name: read whole, bounded in size, or refused with the reason."""

import codecs
import contextlib
import os
import stat

from circuits.errors import Refused, printable, shown


def read_bytes(path: str | os.PathLike[str], what: str, *, max_bytes: int) -> bytes:
    """What a regular file holds. Pipes and devices, which may have no end or never answer, are refused unread.

    Args:
        path: The file.
        what: What it is to hold, for messages: "graph file".
        max_bytes: Larger files are refused.

    Raises:
        Refused: if there is no such file, it may not be read, is no regular file, or too large.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise Refused(f"the {what} must be named by a path, not by {shown(path)}")
    try:
        # Without O_NONBLOCK, a named pipe that nobody writes to would be waited for.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _unreadable(path, what, "it is a pipe or device; save its content to a file first")
            content = file.read(max_bytes + 1)
    except OSError as err:
        raise _unreadable(path, what, err.strerror or str(err)) from err
    except ValueError as err:  # a NUL character or lone surrogate in the name
        if isinstance(err, Refused):
            raise
        raise _unreadable(path, what, f"no file can have this name ({err})") from err
    if len(content) > max_bytes:
        size = max(status.st_size, len(content))
        raise Refused(f"the {what} {printable(path)} has {size} bytes; at most {max_bytes} are read")
    return content


def read_text(path: str | os.PathLike[str], what: str, *, max_bytes: int) -> str:
    r"""The text of a regular file in UTF-8, or in UTF-16 where it starts with that byte order mark.

    Args:
        path: The file.
        what: What it is to hold, for messages: "graph file".
        max_bytes: Larger files are refused.

    Returns:
        The text without its byte order mark, lines ended by ``\n``.

    Raises:
        Refused: if the file cannot be read (see `read_bytes`) or is no text.
    """
    content = read_bytes(path, what, max_bytes=max_bytes)
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as err:
        raise _unreadable(path, what, f"it is no text in UTF-8 (byte {err.start})") from err
    if "\0" in text:
        raise _unreadable(path, what, f"it is no text: character {text.index(chr(0))} is NUL")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def write_bytes(path: str | os.PathLike[str], what: str, content: bytes) -> None:
    """Write a file whole or not at all; another process never sees half of it.

    Args:
        path: The file; an existing one is replaced.
        what: What it holds, for messages: "circuit file".
        content: All of it.

    Raises:
        Refused: if it cannot be written.
    """
    folder, name = os.path.split(os.fspath(path))
    scratch = os.path.join(folder, f".{name}.{os.getpid()}")
    try:
        with open(scratch, "wb") as file:
            file.write(content)
        os.replace(scratch, path)
    except (OSError, ValueError) as err:
        reason = (isinstance(err, OSError) and err.strerror) or f"no file can have this name ({err})"
        raise Refused(f"the {what} {printable(path)} cannot be written: {reason}") from err
    finally:
        with contextlib.suppress(OSError, ValueError):
            os.unlink(scratch)


def _unreadable(path: str | os.PathLike[str], what: str, reason: str) -> Refused:
    return Refused(f"the {what} {printable(path)} cannot be read: {reason}")
