"""What a workload would cost on a backend here, or why it cannot run there."""

from dataclasses import replace

from backends import memory
from backends.base import Backend, Capabilities
from backends.cost import Cost
from backends.forecast.forecast import Forecast
from circuits.errors import Refused
from hybrid.routing.policy import check_may_go, place_of
from hybrid.routing.routed import Routed

SINGLE_ACCURACY = 1e-5
"""Accuracy below which single precision is refused, in the problem's unit."""


def possible(workload: Routed, backend: Backend) -> Cost:
    """What is known of the cost without a look at this machine; refuse what the backend cannot do, or may not."""
    can = backend.capabilities()
    if can.place == "provider":
        check_may_go(workload.label, place_of(backend), purpose="plan")
    if can.precision == "single" and workload.accuracy < SINGLE_ACCURACY:
        raise Refused(f"single precision cannot resolve an accuracy of {workload.accuracy:g}")
    workload.check(backend)
    return _predicted(workload, backend)


def fitting(workload: Routed, backend: Backend) -> Cost:
    """The same; refuse what this machine has no memory for."""
    cost = possible(workload, backend)
    free = memory.free_bytes()
    missing = cost.missing_bytes
    if missing > free:
        need = f"{missing} bytes ({memory.readable(missing)})"
        own = workload.held_bytes
        part = f", {memory.readable(own)} of it for {workload.holder}" if own else ""
        cure = "; lbfgs, adam and spsa take less" if 2 * own > missing else ""
        raise Refused(f"needs {need}{part}, {memory.readable(free)} are free{cure}")
    if cost.on_card is not None:
        cost.on_card.check(what=f"{workload.circuit.num_qubits} qubits")
    return cost


def planned(workload: Routed, backend: Backend) -> Cost:
    """The same, with what is expected on a device."""
    cost = fitting(workload, backend)
    return _with_forecast(cost, backend.capabilities(), backend.forecast(workload))


def _with_forecast(cost: Cost, can: Capabilities, forecast: Forecast | None) -> Cost:
    """With what is expected on the device; at a provider that is also its time, without the queue, and its price."""
    if forecast is None or can.place == "here":
        return replace(cost, hardware=forecast)
    cost = replace(cost, hardware=forecast, money_usd=forecast.money_usd)
    return (
        cost if forecast.qpu_s is None else replace(cost, seconds=forecast.qpu_s, compile_s=0.0, spread=1.0, speed="")
    )


def _predicted(workload: Routed, backend: Backend) -> Cost:
    """With the memory of the optimizer, which works here wherever the backend does."""
    cost = backend.predict(workload)
    return replace(cost, memory_bytes=cost.memory_bytes + workload.held_bytes)
