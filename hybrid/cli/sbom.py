"""The command that prints the software bill of materials of this environment, or of a record."""

import sys

from hybrid.cli.arguments import EnvironmentOrRun

RECORDS = ("spec.json", "algorithm.json", "bench.json")
"""Files of a record that say with what it was made: of a run, an algorithm, a benchmark."""


def sbom(folder: EnvironmentOrRun = None) -> None:
    """Print the software bill of materials, CycloneDX 1.6 in JSON: of this environment, or as a run was made with.

    Args:
        folder: Of a run, an algorithm or a benchmark; None for this environment.

    Raises:
        Refused: if the folder holds no record, or one without a list of packages, or with a damaged one.
    """
    from circuits.errors import Refused
    from hybrid.runs.files import read_json
    from hybrid.runs.sbom import kept, of_record

    if folder is None:
        sys.stdout.write(of_record(kept(), "this environment"))
        return
    file = next((folder / name for name in RECORDS if (folder / name).is_file()), None)
    if file is None:
        raise Refused(f"{folder} holds no run, algorithm or benchmark; of a sweep, name the folder of a point")
    provenance = read_json(file).get("provenance")
    software = provenance.get("software") if isinstance(provenance, dict) else None
    if software is None:
        raise Refused(f"{file}: it was made before records kept the list of all packages")
    sys.stdout.write(of_record(software, str(file)))
