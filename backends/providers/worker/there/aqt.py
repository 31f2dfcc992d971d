# pyright: reportMissingImports=false
"""AQT's simulators of its ion traps, which run here; runs in AQT's environment (see serve.py)."""

PACKAGES = ("qiskit-aqt-provider", "qiskit-aer")
OFFLINE = {"offline_ideal": "ideal", "offline_noisy": "noisy"}


def devices():
    """Names of the simulators."""
    return sorted(OFFLINE)


def device(name):
    """A simulator by its name."""
    if name not in OFFLINE:
        raise LookupError(f"'{name}' is not reachable yet; AQT's simulators are: {', '.join(devices())}")
    from qiskit_aqt_provider import AQTProvider

    return Offline(getattr(AQTProvider().offline, OFFLINE[name])(), noisy=name == "offline_noisy")


def kind(error, doing):
    """Nothing here has errors of its own."""
    del error, doing


class Offline:
    """A simulator with AQT's gates, and perhaps its noise."""

    local, most_circuits, most_shots = True, None, None

    def __init__(self, backend, *, noisy):
        self.backend, self.noisy = backend, noisy
        self.target = backend.target
        self.summary = f"AQT's simulator of {backend.target.num_qubits} ions, {'with' if noisy else 'without'} noise"

    def run(self, circuits, shots, seed):
        """By the simulator behind the device, which has no limit on shots."""
        result = self.backend.simulator.run(circuits, shots=shots, seed_simulator=seed).result()
        if not result.success:
            raise RuntimeError("; ".join(str(one.status) for one in result.results) or str(result.status))
        return [dict(result.get_counts(k)) for k in range(len(circuits))]
