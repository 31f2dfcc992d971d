"""The token with which a facility is asked: where it is found, and never what it is, is written down."""

import os
import stat
from pathlib import Path

from circuits.errors import Refused
from circuits.secrets import kept


def read(variable: str, file: str) -> str:
    """The token, from a variable of the environment or a file that only its owner can read.

    Args:
        variable: Name of the variable; empty for the file.
        file: Path of the file, whose first line it is; ``~`` is the home.

    Raises:
        Refused: if it is not there, or others may read the file.
    """
    if variable:
        token, where = os.environ.get(variable, ""), f"the variable {variable}"
    else:
        path = Path(file).expanduser()
        token, where = _first_line(path), str(path)
    token = token.strip()
    if not token:
        raise Refused(f"{where}: there is no token for the facility; put it there")
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise Refused(f"{where}: holds something that is no token: one word of printable characters")
    kept("token", token)  # from now on no message repeats it
    return token


def _first_line(path: Path) -> str:
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Refused(f"{path}: others may read the token; chmod 600 {path}")
        return path.read_text(encoding="utf-8").partition("\n")[0]
    except OSError as err:
        raise Refused(f"{path}: the token cannot be read: {err.strerror}") from err
    except UnicodeDecodeError as err:
        raise Refused(f"{path}: holds no token, but something that is no text") from err
