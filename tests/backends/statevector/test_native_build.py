"""What an installation makes of the C++ kernels, with a compiler and without."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMPILERS = ("c++", "g++", "gcc", "cc", "clang", "x86_64-linux-gnu-", "aarch64-linux-gnu-", "c89", "c99", "cpp")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """The files that git knows, as a fresh clone has them."""
    folder = tmp_path_factory.mktemp("source")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def no_compiler(tmp_path_factory) -> dict[str, str]:
    """The environment of a machine without a compiler: its PATH has all other programs."""
    folder = tmp_path_factory.mktemp("bin")
    for place in ("/usr/bin", "/usr/local/bin"):
        for program in Path(place).iterdir() if Path(place).exists() else ():
            if not program.name.startswith(COMPILERS) and not (folder / program.name).exists():
                (folder / program.name).symlink_to(program)
    return {**{k: v for k, v in os.environ.items() if k not in ("CC", "CXX")}, "PATH": str(folder)}


def wheel(source: Path, folder: Path, env: dict[str, str]) -> Path:
    """Built with the tools of this environment, which need no network."""
    uv = [sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--no-build-isolation"]
    subprocess.run([*uv, "--python", sys.executable, "--out-dir", folder, source], env=env, check=True)
    (made,) = folder.glob("*.whl")
    return made


def installed(made: Path, folder: Path, env: dict[str, str]) -> str:
    """What the kernels say where the wheel, and not the checkout, is installed."""
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*uv, "--python", sys.executable, "--target", folder, made], env=env, check=True)
    code = (
        "import backends, hybrid; from backends.statevector import native\n"
        "print(native.__file__, native.available(), native.why_not())"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder.parent,
        env={**env, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.startswith(str(folder))
    return said.stdout


def contents(made: Path) -> set[str]:
    """The files of a wheel by where they lie in it; those beside the packages by their place under the prefix."""
    with zipfile.ZipFile(made) as archive:
        return {name.partition(".data/data/")[2] or name for name in archive.namelist() if ".dist-info/" not in name}


def sources(source: Path) -> set[str]:
    """What every wheel holds: modules, stubs, templates, tables and styles, and the manual page."""
    return {
        str(file.relative_to(source))
        for package in ("circuits", "backends", "hybrid")
        for file in (source / package).rglob("*")
        if file.suffix in (".py", ".pyi", ".toml", ".json", ".css", ".mplstyle")
    } | {"share/man/man1/hybrid.1"}


@pytest.mark.skipif(not shutil.which("c++"), reason="needs a C++ compiler")
def test_a_wheel_from_a_machine_with_a_compiler_computes_on_one_without(source, no_compiler, tmp_path):
    made = wheel(source, tmp_path / "dist", dict(os.environ))
    (extension,) = contents(made) - sources(source)
    assert extension.startswith("backends/statevector/native/_extension.")
    assert sources(source) <= contents(made)
    assert " True None" in installed(made, tmp_path / "site", no_compiler)


def test_without_a_compiler_everything_else_is_installed(source, no_compiler, tmp_path):
    made = wheel(source, tmp_path / "dist", no_compiler)
    assert contents(made) == sources(source)
    assert made.name.endswith("-py3-none-any.whl")
    assert " False the C++ kernels of the statevector engine cannot be loaded" in installed(
        made, tmp_path / "site", no_compiler
    )


def test_a_build_that_requires_the_kernels_fails_without_a_compiler(source, no_compiler, tmp_path):
    with pytest.raises(subprocess.CalledProcessError):
        wheel(source, tmp_path / "dist", {**no_compiler, "HYBRID_REQUIRE_NATIVE": "1"})
