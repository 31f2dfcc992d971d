"""A pytest plugin that runs Qiskit's own tests of primitives on the estimator and sampler of this toolkit.

Qiskit's tests belong to Qiskit and are not kept here. Those of Qiskit's source distribution, unpacked, will do:

    make qiskit-primitives TESTS=qiskit-2.6.2

In every test module the name of a reference implementation is bound to ours; the modules' oracles stay Qiskit's.
"""

from types import SimpleNamespace

import pytest

import hybrid


class OnBackend:
    """What Qiskit's two classes around a backend are made with, in our words."""

    def __init__(self, *, backend, options=None):
        options = dict(options or {})
        seed = options.pop("seed_simulator", None)
        super().__init__(backend, seed=seed, **options)
        self.options = SimpleNamespace(**options)  # where the tests switch grouping on and off; ours always groups


class EstimatorOnBackend(OnBackend, hybrid.Estimator):
    pass


class SamplerOnBackend(OnBackend, hybrid.Sampler):
    def run(self, pubs, *, shots=None):
        default = getattr(self.options, "default_shots", None)  # the tests set it after the sampler was made
        return super().run(pubs, shots=default if shots is None else shots)


OURS = {
    "test_statevector_estimator": {"StatevectorEstimator": hybrid.Estimator},
    "test_statevector_sampler": {"StatevectorSampler": hybrid.Sampler},
    "test_primitive_job": {"StatevectorSampler": hybrid.Sampler},
    "test_backend_estimator_v2": {"BackendEstimatorV2": EstimatorOnBackend},
    "test_backend_sampler_v2": {"BackendSamplerV2": SamplerOnBackend},
}

MEANT_TO_FAIL = {
    "TestStatevectorEstimator::test_precision_seed": "expects the random number that is added to an exact value",
    "TestStatevectorSampler::test_run_errors": "expects a loop to be refused, which runs here",
    "TestBackendEstimatorV2::test_job_size_limit_backend_v2": "has a mock in place of results, which is found out",
    "TestBackendSamplerV2::test_run_level1": "asks for signals that are not told apart into bits yet",
}


def pytest_collection_modifyitems(items):
    for item in items:
        reason = MEANT_TO_FAIL.get("::".join(item.nodeid.split("::")[1:]))
        if reason:
            item.add_marker(pytest.mark.xfail(reason=reason))
    for module in {item.module for item in items}:
        for name, ours in OURS.get(module.__name__.rpartition(".")[2], {}).items():
            assert hasattr(module, name), f"{module.__name__} has no {name} any more"
            setattr(module, name, ours)
