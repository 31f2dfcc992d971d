"""The script that a task runs: it lies in the run's folder, and holds nothing that only its author may see."""

import shlex
import sys

from hybrid.sites.site import Batch, Site

STOPPED = 75
"""Exit code of a run that was stopped with all its work saved."""

ENDING = """\
run=$!
[ -n "$received" ] && kill -s "$received" "$run"
interrupted=1
while [ -n "$interrupted" ]; do interrupted=; wait "$run"; code=$?; done

# 75: stopped with all work saved. 138: SIGUSR1 came before the run had begun. A cancelled task does not come again.
[ "$received" = TERM ] && exit 143
if [ $code = 75 ] || { [ $code = 138 ] && [ "$received" = USR1 ]; }; then"""

OPENING = """\
received= interrupted= run=
note() {
  [ "$received" = TERM ] || received=$1
  interrupted=1
  [ -n "$run" ] && kill -s "$1" "$run" 2>/dev/null
}
trap 'note USR1' USR1
trap 'note TERM' TERM
"""


def script(site: Site, batch: Batch) -> str:
    """The script for a site, for `bash`.

    A task is one point. SIGUSR1 and SIGTERM are handed on to the run, which saves and exits with 75. After SIGUSR1, or
    when the run has stopped by itself before the wall-time limit, the task goes back into the queue; after SIGTERM,
    which means that somebody cancelled it, it does not. What the run prints is the point's ``.json``, all else its
    ``.log``.
    """
    words = [site.python or sys.executable, "-m", "hybrid.cli", "run", str(batch.folder / "study.toml")]
    words += ["--base", str(batch.base), "--folder", str(batch.run), "--resume", "--json", "--no-plot", "--only"]
    launch = [*site.launcher.split(), "-n", str(site.ranks)] if site.ranks > 1 else []
    lines = [
        "#!/bin/bash",
        *site.directives(batch),
        f"# One point of {batch.name}. Written by `hybrid submit`; `hybrid status` shows what became of it.",
        "",
        OPENING,
        *site.opening(),
        f'output={shlex.quote(str(batch.folder))}/"$point"',
        'exec >>"$output.log" 2>&1',
        "",
        *(f"module load {shlex.quote(module)} || exit" for module in site.modules),
        *([f"export OMP_NUM_THREADS={site.cpus}"] if site.cpus else []),
        *(f"export {name}={shlex.quote(value)}" for name, value in site.environment.items()),
        *site.setup,
        f'{shlex.join([*launch, *words])} "$point" >"$output.json" &',
        ENDING,
        *(f"  {line}" for line in site.again()),
        "fi",
        "exit $code",
    ]
    return "\n".join(lines) + "\n"
