"""Pictures read on light and dark grounds, and say what they show."""

import struct
import zlib
from dataclasses import replace
from types import SimpleNamespace

import matplotlib.pyplot
import matplotlib.style
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

import hybrid
from circuits import hardware_efficient, tfim
from hybrid.algorithms.adapt import ADAPT
from hybrid.algorithms.classifier import Classifier
from hybrid.algorithms.evolution import Evolution
from hybrid.algorithms.pools import Generator
from hybrid.algorithms.qaoa import QAOA
from hybrid.algorithms.vqd import VQD, Level
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
def run(tmp_path_factory):
    ansatz = hardware_efficient(2, layers=1)
    return hybrid.minimize(ansatz, tfim(2), backend="reference", folder=tmp_path_factory.mktemp("run") / "r")


def found_by(what, run):
    """What an algorithm gives, with the numbers of this test."""
    p, place, four = tfim(2), run.folder, np.array([4.0, 3.0, 2.5, 2.25])
    match what:
        case "qaoa":
            return QAOA(p, (run, run), (0.7, 0.9), "01", -1.0, 3, 8, place, (0.02, 0.01))
        case "vqd":
            level = Level(-2.0, 0.1, run.theta, np.zeros(0), run)
            return VQD(
                p, (level, replace(level, energy=-1.0, overlaps=np.array([1e-6]))), np.array([-2.2, -1.1]), place
            )
        case "adapt":
            return ADAPT(p, (Generator("first", "Z", (0,)),), (run, run), (0.5, 0.1), run.circuit, "converged", place)
        case "evolution":
            return Evolution(
                p, "imaginary", np.arange(4.0), four[:, None], four, four, 1 - 0.1 / four, 2.0, place, run.circuit
            )
        case "residuals":
            return Evolution(p, "real", np.arange(4.0), four[:, None], four, four, None, None, place, run.circuit)
        case "classifier":
            rows = np.zeros((5, 2))
            data = SimpleNamespace(name="points", train=rows, test=rows, classes=("a", "b"))
            return Classifier(data, run.circuit, run.theta, four, 0.8, 0.6, 0.5, 0.7, place, None, p, "max_steps")
    return run


UNITS = {
    "minimize": ("coupling", "evaluations"),
    "qaoa": ("approximation ratio", "layers"),
    "vqd": ("energy (coupling)", "size of the error (coupling)", "level"),
    "adapt": ("energy above exact (coupling)", "coupling/rad", "operators"),
    "evolution": ("energy (coupling)", "1 - fidelity", "time (1/coupling)"),
    "residuals": ("energy (coupling)", "residual (coupling)"),
    "classifier": ("(nats)", "steps"),
}


@pytest.mark.parametrize("what", UNITS)
def test_every_result_is_drawn_and_shown_as_a_table(what, run):
    found = found_by(what, run)
    check(found.plot(), units=UNITS[what])
    shown = found._repr_html_()
    assert str(run.folder) in shown
    assert "color" not in shown


def test_the_levels_are_those_that_were_found(run):
    drawn = found_by("vqd", run).plot().axes[0].get_lines()
    assert any(np.array_equal(line.get_ydata(), [-2.0, -1.0]) for line in drawn)
    assert any(np.array_equal(line.get_ydata(), [-2.2, -1.1]) for line in drawn if line.get_color() == picture.INK)


def test_pictures_made_by_hand_look_alike():
    """The style for pyplot has the colours of the toolkit's own pictures, and no ground."""
    with matplotlib.style.context("hybrid.report.pictures"):
        figure, axes = matplotlib.pyplot.subplots()
        lines = [axes.plot([0, 1], [k, k], label=str(k))[0] for k in range(len(picture.COLORS))]
        axes.set(title="found", xlabel="step", ylabel="energy / hartree")
        legend = axes.legend()
    matplotlib.pyplot.close(figure)
    assert tuple(line.get_color() for line in lines) == picture.COLORS
    assert figure.get_facecolor()[3] == axes.get_facecolor()[3] == 0
    assert not legend.get_frame_on()
    labels = [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels(), *legend.get_texts()]
    assert {to_hex(text.get_color()) for text in labels} == {picture.INK}
