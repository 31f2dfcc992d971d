"""Positions of atoms, from a line of text or an .xyz file; angstrom."""

import itertools
import math
import os
from pathlib import Path

from circuits.errors import Refused, printable, shown, unknown
from circuits.files import read_text

Atom = tuple[str, tuple[float, float, float]]

_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr "
    "Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir "
    "Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh "
    "Fl Mc Lv Ts Og"
)
ELEMENTS = tuple(_SYMBOLS.split())
"""Symbols by atomic number, hydrogen first."""

CLOSEST = 0.1
"""Atoms nearer than this, in angstrom, are taken for a mistake."""

FARTHEST = 1e5
"""Coordinates beyond this, in angstrom, are taken for a mistake."""

MAX_ATOMS = 1000
MAX_BYTES = 1 << 20


def atoms(geometry: str | os.PathLike) -> tuple[Atom, ...]:
    """Read a geometry.

    Args:
        geometry: Atoms ``"Li 0 0 0; H 0 0 1.6"``, separated by semicolons or newlines: element and x, y, z in angstrom.
            Or the path of an .xyz file (a string that ends in ``.xyz``, or a Path).

    Returns:
        (symbol, (x, y, z)) for each atom, angstrom.

    Raises:
        Refused: for text that is no geometry, an unknown element, atoms closer than 0.1 angstrom or more than 1000 of
            them, a coordinate beyond 1e5 angstrom, or a diatomic molecule whose bond length is written as a negative
            coordinate.

    >>> atoms("H 0 0 0; H 0 0 0.735")
    (('H', (0.0, 0.0, 0.0)), ('H', (0.0, 0.0, 0.735)))
    """
    if isinstance(geometry, os.PathLike) or (isinstance(geometry, str) and geometry.strip().lower().endswith(".xyz")):
        parsed = _read_xyz(Path(geometry))
    elif isinstance(geometry, str):
        if len(geometry) > MAX_BYTES:
            raise Refused(f"the geometry has {len(geometry)} characters; at most {MAX_BYTES} are read")
        rows = [row for line in geometry.removeprefix("\ufeff").splitlines() for row in line.split(";")]
        parsed = _atoms([(row, "the geometry") for row in rows if row.strip()])
    else:
        raise Refused(f"geometry must be text such as 'Li 0 0 0; H 0 0 1.6' or an .xyz file, not {shown(geometry)}")
    if not parsed:
        raise Refused("the geometry has no atoms; write for example 'Li 0 0 0; H 0 0 1.6' (angstrom)")
    _check_distances(parsed)
    return parsed


def write(parsed: tuple[Atom, ...]) -> str:
    """The geometry as one line that `atoms` reads back to the same numbers."""
    return "; ".join(f"{symbol} {x!r} {y!r} {z!r}" for symbol, (x, y, z) in parsed)


def formula(parsed: tuple[Atom, ...]) -> str:
    """Elements and their numbers, in the order of first appearance.

    >>> formula(atoms("O 0 0 0; H 0.76 0.59 0; H -0.76 0.59 0"))
    'OH2'
    """
    symbols = [symbol for symbol, _ in parsed]
    return "".join(f"{s}{symbols.count(s) if symbols.count(s) > 1 else ''}" for s in dict.fromkeys(symbols))


def _read_xyz(path: Path) -> tuple[Atom, ...]:
    lines = read_text(path, "geometry file", max_bytes=MAX_BYTES).splitlines()
    name = printable(path)
    try:
        count = int(lines[0])
    except (IndexError, ValueError) as err:
        raise Refused(f"{name}:1: an .xyz file starts with its number of atoms") from err
    rows = [(row, f"{name}:{number}") for number, row in enumerate(lines[2:], start=3)]
    if count < 1 or len(rows) < count or any(row.strip() for row, _ in rows[count:]):
        found = sum(1 for row, _ in rows if row.strip())
        raise Refused(f"{name}:1: it announces {shown(count)} atoms, but {found} lines follow the comment line")
    return _atoms(rows[:count])


def _atoms(rows: list[tuple[str, str]]) -> tuple[Atom, ...]:
    if len(rows) > MAX_ATOMS:
        raise Refused(f"the geometry has {len(rows)} atoms; at most {MAX_ATOMS} are read")
    return tuple(_atom(row, where) for row, where in rows)


def _atom(row: str, where: str) -> Atom:
    words = row.replace(",", " ").split()
    if len(words) != 4:
        raise Refused(f"{where}: an atom is 'element x y z' in angstrom, not {shown(row.strip())}")
    symbol = words[0].capitalize()
    if symbol not in ELEMENTS:
        raise unknown(f"element in {where}:", words[0], ELEMENTS)
    try:
        x, y, z = (float(word) for word in words[1:])
    except ValueError as err:
        raise Refused(f"{where}: {shown(row.strip())} has a coordinate that is not a number") from err
    if not all(math.isfinite(value) for value in (x, y, z)):
        raise Refused(f"{where}: {shown(row.strip())} has a coordinate that is not finite")
    if max(abs(x), abs(y), abs(z)) > FARTHEST:
        raise Refused(f"{where}: {shown(row.strip())} has a coordinate beyond {FARTHEST:g} angstrom")
    return symbol, (x, y, z)


def _check_distances(parsed: tuple[Atom, ...]) -> None:
    for (i, (a, here)), (j, (b, there)) in itertools.combinations(enumerate(parsed), 2):
        distance = math.dist(here, there)
        if distance < CLOSEST:
            raise Refused(
                f"atoms {i} ({a}) and {j} ({b}) are {distance:.3g} angstrom apart; coordinates are in angstrom, "
                f"and closer than {CLOSEST} is taken for a mistake"
            )
    if len(parsed) == 2:
        positions = [position for _, position in parsed]
        for here, there in (positions, positions[::-1]):
            along = [value for value in there if value != 0.0]
            if not any(here) and len(along) == 1 and along[0] < 0:
                raise Refused(
                    f"the bond length {along[0]:g} angstrom is negative; write the distance as a positive coordinate, "
                    f"{-along[0]:g}"
                )
