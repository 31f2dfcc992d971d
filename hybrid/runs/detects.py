"""What each check of a verification detects, and what it cannot: for verifications, tables and pages alike."""

DETECTS = {
    "record": (
        "A result, journal or question that was changed after the end, or belongs to another run.",
        "A record that was forged as a whole, digests included.",
    ),
    "chain": (
        "Rows of the journal, or files beside it, that were changed, removed, put in or swapped: each has a name.",
        "A chain that was made anew by somebody who may write the whole folder; a signature or a kept head shows it.",
    ),
    "signature": (
        "A record that is not the one that was signed, or that nobody who may sign has signed.",
        "Whether those who signed knew what they signed.",
    ),
    "replay": (
        "A result that does not follow from the evaluations by the optimizer that is named; lost or added evaluations.",
        "Whether the values of the evaluations themselves are right.",
    ),
    "status": ("A run that was stopped, stalled, or ran out of steps.", "A local minimum: at rest is not lowest."),
    "exact energy": (
        "An exact energy that is not the lowest eigenvalue of the recorded Hamiltonian.",
        "A Hamiltonian that does not describe what was meant.",
    ),
    "energy on other engines": (
        "A fault of the engine that the run used: other programs compute the energy of the same circuit.",
        "A fault that all engines share, such as a circuit that is not the one that was meant.",
    ),
    "energy repeated": (
        "An energy that chance, or a passing fault of the machine, has made.",
        "A systematic fault of the backend, which repeats itself.",
    ),
    "variational bound": (
        "An energy below the exact one, which no state has.",
        "Any fault that raises the energy.",
    ),
    "gradient": (
        "Gradients that are not the slopes of the energies, near the answer and along one random direction.",
        "Faults elsewhere, and of runs on sampled values, where it is not made.",
    ),
    "run": (
        "Whatever the checks of a run by itself detect.",
        "What they cannot; the report on the run says it.",
    ),
    "result": (
        "A result that its stages do not lead to.",
        "Whether the numbers of the stages are right; the other checks say that.",
    ),
    "energies on another engine": (
        "A fault of the engine that was used: another program computes energies along the path again.",
        "A fault that all engines share, such as a circuit that is not the one that was meant.",
    ),
    "steps": (
        "Points that do not follow from those before them by the integrator.",
        "A fault of the derivatives; the residuals say that.",
    ),
    "residuals": (
        "Derivatives that are not the slopes of the states, at some points of the path.",
        "Faults at other points.",
    ),
    "exact path": (
        "Fidelities that another program's states do not have.",
        "A fault of the exact evolution itself.",
    ),
    "distance": (
        "A distance from the exact state larger than the residuals allow.",
        "Faults smaller than the bound.",
    ),
    "energy falls": (
        "An energy that rises in imaginary time, or lies below the exact one.",
        "Whether the path is the right one on the way down.",
    ),
    "data": (
        "Rows or classes that are not those that were asked for.",
        "Whether the data are any good.",
    ),
    "losses": (
        "Losses that another engine, or the same random numbers, do not give again.",
        "Faults at the steps that are not computed again.",
    ),
    "predictions": (
        "Classes that the trained circuit does not give.",
        "Whether it does as well on other data.",
    ),
    "baseline": (
        "A classical baseline that was made worse than it is.",
        "Whether a better classical method exists.",
    ),
    "precision": (
        "An accuracy that was asked for and that rounding, shots or bias cannot give.",
        "A bias that nobody estimated.",
    ),
    "uncertainty": (
        "Intervals that do not follow from the journal, or that leave out a part.",
        "A systematic error that no part knows of.",
    ),
    "evaluations repeated": (
        "A device that drifted between the last two evaluations of the same parameters; standard errors too small.",
        "A drift that was over before, or is slower than the run.",
    ),
    "slope at the end": (
        "An answer that is called converged and from which the energy still falls by more than the accuracy.",
        "A local minimum or a saddle point: there, too, the slope is zero.",
    ),
    "conserved numbers": (
        "A state that left the particle number or magnetization that the Hamiltonian conserves.",
        "A state in the wrong sector: the numbers are sharp there, too.",
    ),
}
"""For each check what it detects, and what it cannot."""


def detects(name: str) -> tuple[str, str]:
    """What a check detects, and what it cannot; both empty of a check that is not known.

    Args:
        name: Of the check; of an algorithm's run "run", and the run's name.
    """
    return DETECTS.get("run" if name.startswith("run ") else name, ("", ""))
