"""What a command is to write, and cannot, is refused before anything is measured."""

from importlib import import_module

import pytest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bench", "quick", "--json", "none/b.json"), "--json none/b.json: there is no folder none"),
        (("bench", "quick", "--json", "."), "--json .: is a folder"),
        (("bench", "quick", "--folder", "file/b"), "file is a file, and no folder"),
        (("bench", "quick", "--json", "/proc/b.json"), "nothing can be written in /proc"),
        (("machine", "--plot", "roof.line"), "no format of a picture; end its name in .png"),
        (("machine", "--plot", "file/roof.png"), "file is a file, and no folder"),
        (("codesign", "study.toml", "--figures", "file"), "file is a file, and no folder"),
        (("codesign", "study.toml", "--folder", "file/deep/er"), "file is a file, and no folder"),
    ],
)
def test_places_that_cannot_be_written_are_refused_first(cli, tmp_path, monkeypatch, arguments, said):
    (tmp_path / "file").write_text("")
    (tmp_path / "study.toml").write_text("")
    for module, what in (("suite.run", "bench"), ("machine.roofline", "machine")):
        measured = import_module(f"hybrid.codesign.{module}")
        monkeypatch.setattr(measured, what, lambda *_, **__: pytest.fail("it was measured"))
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "study.toml"]
