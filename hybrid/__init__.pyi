import collections.abc
import pathlib
import typing

from .algorithms.adapt import adapt as adapt
from .algorithms.classifier import classifier as classifier
from .algorithms.evolution import imaginary_time_evolution as imaginary_time_evolution
from .algorithms.evolution import real_time_evolution as real_time_evolution
from .algorithms.qaoa import qaoa as qaoa
from .algorithms.verification import verify as verify
from .algorithms.vqd import vqd as vqd
from .codesign.codesign import codesign as codesign
from .codesign.machine.model import machine_model as machine_model
from .codesign.machine.roofline import machine as machine
from .codesign.suite.result import Bench as Bench
from .codesign.suite.run import bench as bench
from .devices import Device as Device
from .errors import BudgetExceeded as BudgetExceeded
from .errors import FailedJob as FailedJob
from .errors import LostJob as LostJob
from .errors import Refused as Refused
from .errors import ToolkitError as ToolkitError
from .loop.minimize import minimize as minimize
from .loop.minimize import resume as resume
from .loop.stop import Stopped as Stopped
from .primitives.estimator import Estimator as Estimator
from .primitives.sampler import Sampler as Sampler
from .routing.plan import Plan as Plan
from .routing.plan import plan as plan
from .runs.comparison import compare as compare
from .runs.loading import load as load
from .runs.overview import Runs as Runs
from .runs.result import Result as Result

if not typing.TYPE_CHECKING:
    from . import report as report  # packages that can be called
    from . import runs as runs

def report(
    runs: Result | str | pathlib.Path | collections.abc.Iterable[Result | str | pathlib.Path],
    path: str | pathlib.Path | None = None,
) -> pathlib.Path: ...
def runs(folder: str | pathlib.Path | None = None) -> Runs: ...
