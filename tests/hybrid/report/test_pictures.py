"""Pictures read on light and dark grounds, and say what they show."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb

import hybrid
from circuits import hamiltonian_variational, hardware_efficient, maxcut, tfim
from hybrid.report import picture
from hybrid.report.curve import CurvePoint, curve
from hybrid.report.side_by_side import Line, side_by_side

GROUNDS = ("#ffffff", "#111111")
"""Of JupyterLab's light and dark themes."""


def contrast(one, other):
    """Ratio of the relative luminances, as the Web Content Accessibility Guidelines define it."""

    def luminance(colour):
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def pixels(png):
    """Colours of a PNG with 8 bits a channel and without interlacing, shape (rows, columns, 4)."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert (depth, kind) == (8, 6)
    place, data = 8, b""
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + length]
        place += 12 + length
    assert len(zlib.decompress(data)) == height * (4 * width + 1)
    return width, height


def texts(axes):
    legend = axes.get_legend()
    found = [axes.xaxis.label, axes.yaxis.label, axes.title, axes._left_title, axes.xaxis.offsetText]
    return found + axes.get_xticklabels() + axes.get_yticklabels() + ([] if legend is None else legend.get_texts())


def check(figure, *, units):
    """The look that every picture has."""
    figure.draw_without_rendering()
    assert figure.get_facecolor()[3] == 0
    for axes in figure.axes:
        assert axes.get_facecolor()[3] == 0
        for text in texts(axes):
            assert text.get_text() == "" or min(contrast(text.get_color(), ground) for ground in GROUNDS) > 4
    labels = " ".join(axes.get_ylabel() + axes.get_xlabel() for axes in figure.axes)
    for unit in units:
        assert unit in labels
    assert figure.axes[-1].get_xlabel()


@pytest.mark.parametrize("colour", [*picture.COLORS, picture.INK, picture.ACCENT, picture.QUIET])
@pytest.mark.parametrize("ground", GROUNDS)
def test_colours_are_seen_on_every_ground(colour, ground):
    assert contrast(colour, ground) >= 3


def test_runs_are_told_apart_by_colour_line_and_marker():
    energy, none = np.linspace(1.0, 0.1, 30), np.zeros(30)
    lines = [Line(f"run {k}", energy + k, none, none + 1.0) for k in range(4)]
    figure = side_by_side(lines, exact_energy=None, unit="hartree", title="")
    drawn = figure.axes[0].get_lines()
    for what in ("get_color", "get_linestyle", "get_marker"):
        assert len({getattr(line, what)() for line in drawn}) == 4
    check(figure, units=("hartree", "(s)"))


def test_a_notebook_gets_twice_the_pixels_that_it_shows():
    axes = picture.axes()
    axes.plot([0, 1])
    picture.finish(axes)
    data, size = axes.figure._repr_png_()
    assert pixels(data) == (2 * size["width"], 2 * size["height"])


def test_a_saved_picture_has_twice_the_pixels(tmp_path):
    figure = picture.axes().figure
    figure.savefig(tmp_path / "p.png")
    assert pixels((tmp_path / "p.png").read_bytes()) == (1280, 800)


def test_a_curve_has_units():
    points = [CurvePoint(x, -x, 0.0, -x - 0.1) for x in (1.0, 2.0)]
    check(curve(points, x_label="distance", unit="hartree", title="H2", label="here"), units=("hartree",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("found")


def made(what: str, folder: Path):
    """The result of an algorithm, small."""
    p = tfim(2)
    options = {"backend": "statevector", "folder": folder / what}
    match what:
        case "minimize":
            return hybrid.minimize(hardware_efficient(2, layers=1), p, **options)
        case "qaoa":
            return hybrid.qaoa(maxcut([(0, 1), (1, 2)]), layers=2, samples=4, **options)
        case "vqd":
            return hybrid.vqd(hardware_efficient(2, layers=2), p, levels=2, starts=1, **options)
        case "adapt":
            return hybrid.adapt(p, pool="qubit", max_operators=2, **options)
        case "imaginary":
            return hybrid.imaginary_time_evolution(
                hamiltonian_variational(p, layers=1), p, time=0.5, steps=3, **options
            )
        case "classifier":
            return hybrid.classifier("iris", n_qubits=3, layers=1, max_steps=4, **options)


UNITS = {
    "minimize": ("coupling", "evaluations"),
    "qaoa": ("approximation ratio", "layers"),
    "vqd": ("(coupling)", "level"),
    "adapt": ("coupling/rad", "operators"),
    "imaginary": ("energy (coupling)", "1 - fidelity", "time (1/coupling)"),
    "classifier": ("(nats)", "steps"),
}


@pytest.mark.parametrize("what", UNITS)
def test_every_result_is_drawn(what, folder):
    if what == "classifier":
        pytest.importorskip("sklearn")
    found = made(what, folder)
    check(found.plot(), units=UNITS[what])
    assert "<table" in found._repr_html_()


def test_the_levels_are_those_that_were_found(folder):
    found = made("vqd", folder)
    drawn = found.plot().axes[0].get_lines()
    assert any(np.array_equal(line.get_ydata(), found.energies) for line in drawn)
    assert any(np.allclose(line.get_ydata(), found.exact) for line in drawn if line.get_color() == picture.INK)
