import sys
from pathlib import Path

HARDWARE = Path(__file__).parents[2] / "hardware"
sys.path.insert(0, str(HARDWARE))
sys.path.append(str(HARDWARE.parents[1] / "backends"))

import filed  # noqa: E402

filed.register("filed")
