"""The script that a task runs: it lies in the run's folder, and holds nothing that only its author may see.

Whatever a user names stands in it quoted, as one word; only the site file's ``setup`` lines are shell. Its own
variables begin with ``hybrid_``, so that no setting of a site changes what it does.
"""

import shlex
import sys
from pathlib import Path

from hybrid.sites.site import Batch, Site
from hybrid.sites.words import ranges

STOPPED = 75
"""Exit code of a run that was stopped with all its work saved."""

BEGINS, ENDS = "--- begins: submission", "--- ends with exit code"
"""What a task writes into its log, each time it begins and ends; a number follows."""

OPENING = """\
#!/bin/bash
# One task of a study. Written by `hybrid submit`; `hybrid status` shows what became of it.

hybrid_received= hybrid_interrupted= hybrid_run=
hybrid_note() {
  [ "$hybrid_received" = TERM ] || hybrid_received=$1
  hybrid_interrupted=1
  [ -n "$hybrid_run" ] && kill -s "$1" "$hybrid_run" 2>/dev/null
}
trap 'hybrid_note USR1' USR1
trap 'hybrid_note TERM' TERM
"""

ENDING = """\
hybrid_run=$!
set +eu
[ -n "$hybrid_received" ] && kill -s "$hybrid_received" "$hybrid_run"
hybrid_interrupted=1
while [ -n "$hybrid_interrupted" ]; do hybrid_interrupted=; wait "$hybrid_run"; hybrid_code=$?; done

# 75: stopped with all work saved. 138: SIGUSR1 came before the run had begun. A cancelled task does not come again.
[ "$hybrid_received" = TERM ] && exit 143
if [ "$hybrid_code" = 75 ] || { [ "$hybrid_code" = 138 ] && [ "$hybrid_received" = USR1 ]; }; then"""


def _groups(batch: Batch) -> list[str]:
    """Shell lines that set ``hybrid_only``, the options that name the points of a task."""
    cases = []
    for task, points in batch.tasks.items():
        spans = " ".join(f"--only {span}" for span in ranges(points, steps=False).split(","))
        cases.append(f"  {task}) hybrid_only=({spans}) ;;")
    return ['case "$hybrid_point" in', *cases, '  *) echo "no task $hybrid_point" >&2; exit 2 ;;', "esac"]


def script(site: Site, batch: Batch, *, base: Path) -> str:
    """The script for a site, for `bash`.

    A task is one point, or some that run one after the other. SIGUSR1 and SIGTERM are handed on to the run, which saves
    and exits with 75. After SIGUSR1, or when the run has stopped by itself before the wall-time limit, the task goes
    back into the queue; after SIGTERM, which means that somebody cancelled it, it does not. What the run prints is the
    task's ``.json``, all else its ``.log``.

    Args:
        site: Where it runs.
        batch: What is submitted.
        base: The folder that paths in the study file are relative to; absolute.
    """
    words = [site.python or sys.executable, "-P", "-m", "hybrid.cli", "run", str(batch.folder / "study.toml")]
    words += ["--base", str(base), "--folder", str(batch.run), "--resume", "--json", "--no-plot"]
    grouped = batch.per_task > 1
    only = '"${hybrid_only[@]}"' if grouped else '--only "$hybrid_point"'
    launch = [*shlex.split(site.launcher), "-n", str(site.ranks)] if site.ranks > 1 else []
    lines = [
        OPENING,
        *site.opening(),
        *(_groups(batch) if grouped else ()),
        f'hybrid_output={shlex.quote(str(batch.folder))}/"$hybrid_point"',
        'exec >>"$hybrid_output.log" 2>&1 || exit',
        f'echo "{BEGINS} {batch.number}, on ${{HOSTNAME}} at $(date) [$(date +%s)]"',
        f"""trap 'echo "{ENDS} $?"' EXIT""",
        "",
        *(f"module load {shlex.quote(module)} || exit" for module in site.modules),
        *([f"export OMP_NUM_THREADS={site.cpus}"] if site.cpus else []),
        *(f"export {name}={shlex.quote(value)} || exit" for name, value in site.environment.items()),
        *site.setup,
        f'{shlex.join([*launch, *words])} {only} >"$hybrid_output.json" &',
        ENDING,
        *(f"  {line}" for line in site.again()),
        "fi",
        'exit "$hybrid_code"',
    ]
    return "\n".join(lines) + "\n"
