"""A notebook in JupyterLab, in a real browser: what is shown reads in the light and in the dark theme."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="the browser chromium is not installed"),
]

CELLS = (
    """
import time
import backends, hybrid
from circuits import hardware_efficient, maxcut, tfim
from hybrid.loop import optimize
at_once = optimize._standing
def slowly(*facts):
    time.sleep(0.1)
    return at_once(*facts)
optimize._standing = slowly
p, ansatz = tfim(4), hardware_efficient(4, layers=2)
p
""",
    "backends.get('statevector')",
    "hybrid.plan(ansatz, p, backend='statevector')",
    "result = hybrid.minimize(ansatz, p, backend='statevector')\nresult",
    "result.history",
    "result.plot()",
    "noisy = hybrid.minimize(ansatz, p, backend='statevector', optimizer='adam', shots=100, max_steps=9)\nnoisy",
    "optimize._standing = at_once\nboth = hybrid.compare([result, noisy])\nboth",
    "both.plot()",
    "found = hybrid.qaoa(maxcut([(0, 1), (1, 2), (2, 0), (2, 3)]), layers=3, backend='statevector')\nfound",
    "found.plot()",
    "hybrid.runs()",
    "print('the end')",
)

CONNECTED = """
() => {
  const kernel = window.jupyterapp.shell.currentWidget?.context?.sessionContext?.session?.kernel;
  return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}
"""

CONTRASTS = """
() => {
  const numbers = colour => colour.match(/[0-9.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const [r, g, b, a = 1] = numbers(getComputedStyle(e).backgroundColor);
      if (a > 0.9) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('.jp-OutputArea-output *')) {
    const text = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent.trim()).join('');
    if (!text || element.tagName === 'STYLE') continue;
    const colours = [numbers(getComputedStyle(element).color), ground(element)];
    const [x, y] = colours.map(luminance).sort((a, b) => b - a);
    found.push([text.slice(0, 40), (x + 0.05) / (y + 0.05)]);
  }
  return found;
}
"""


@pytest.fixture
def server(tmp_path):
    """A server of JupyterLab with the notebook in it; its address."""
    nbformat = pytest.importorskip("nbformat", reason="the extra 'notebooks' is not installed")
    pytest.importorskip("jupyterlab", reason="the extra 'notebooks' is not installed")
    work = tmp_path / "work"
    work.mkdir()
    cells = [nbformat.v4.new_code_cell(cell.strip()) for cell in CELLS]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), work / "shown.ipynb")
    places = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR")}
    places |= {"JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"), "IPYTHONDIR": str(tmp_path / "ipython")}
    settings = {
        "notebook-extension/tracker": {"windowingMode": "none"},  # cells out of sight are there, too
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    }
    for name, content in settings.items():
        file = tmp_path / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(content))
    options = ["--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root", f"--ServerApp.root_dir={work}"]
    options += ["--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"]
    options += ["--MappingKernelManager.kernel_info_timeout=240"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=os.environ | places | {"PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + 180
        while not (said := list((tmp_path / "JUPYTER_RUNTIME_DIR").glob("jpserver-*.json"))):
            assert process.poll() is None, (tmp_path / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()[-2000:]
            time.sleep(0.5)
        time.sleep(1.0)  # the file is written
        yield json.loads(said[0].read_text())["url"], work
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_a_notebook_reads_in_both_themes(server, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    url, work = server
    wanted = os.environ.get("HYBRID_SCREENSHOTS")
    pictures = Path(wanted) if wanted else tmp_path
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 1000}, device_scale_factor=1)
        errors = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_default_timeout(240_000)
        page.goto(f"{url}lab/tree/shown.ipynb")
        page.wait_for_function("() => window.jupyterapp && document.querySelector('.jp-Notebook-cell')")
        page.wait_for_function(CONNECTED)
        errors.clear()  # those of JupyterLab itself, before any of our cells has run
        page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_selector("progress")
        page.screenshot(path=pictures / "running.png")
        last = f"[{len(CELLS)}]:"
        page.wait_for_function(
            "(last) => [...document.querySelectorAll('.jp-InputPrompt')].some(p => p.textContent.trim() === last)"
            " && !document.querySelector('.jp-InputPrompt')?.textContent.includes('*')",
            arg=last,
        )
        assert not page.query_selector_all("progress"), "no bar is left at the end"
        assert not page.query_selector_all(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']")
        for theme in ("JupyterLab Light", "JupyterLab Dark"):
            page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
            page.wait_for_function("(theme) => document.body.dataset.jpThemeName === theme", arg=theme)
            page.wait_for_timeout(1500)  # its style sheet is loaded
            for k, output in enumerate(page.query_selector_all(".jp-Cell-outputArea")):
                if output.bounding_box():
                    output.scroll_into_view_if_needed()
                    output.screenshot(path=pictures / f"{theme.split()[1].lower()}-{k:02d}.png")
            contrasts = page.evaluate(CONTRASTS)
            assert len(contrasts) > 100
            assert not [(text, ratio) for text, ratio in contrasts if ratio < 4.5]
        aligned = page.evaluate(
            "() => [...document.querySelectorAll('table.hybrid td, table.hybrid th')]"
            ".map(cell => getComputedStyle(cell).textAlign)"
        )
        assert set(aligned) == {"left"}
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        assert errors == []
        browser.close()
    import nbformat

    saved = nbformat.read(work / "shown.ipynb", as_version=4)
    (line, shown) = saved.cells[3].outputs
    assert line["output_type"] == "display_data"
    assert line["data"]["text/plain"].startswith("TFIM, 4 sites: converged after ")
    assert "text/html" in shown["data"]
