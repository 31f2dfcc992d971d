"""Answers requests about one vendor's devices: runs in that vendor's environment, with Qiskit and what it needs.

Nothing of this toolkit is imported here, and its versions do not matter. A request is a line of JSON on standard
input, an answer a line of JSON on what was standard output; what libraries print goes to standard error. When standard
input ends, so does this process, whatever it is doing.

A vendor's file, whose path is the only argument, defines ``PACKAGES`` (what to name in records), ``devices()`` (names
of those that are here), ``device(name)`` and ``kind(error, doing)`` (what an error in a request means: "refused",
"unreachable", "lost", "failed", or None where it does not know). A device has ``summary``, ``target`` (Qiskit's),
``local``, ``noisy``, ``most_circuits``, ``most_shots``, and, if it is local,

    run(circuits, shots, seed) -> counts of each

and otherwise

    submit(circuits, shots, tag) -> id          counts(id, n_circuits) -> counts of each
    state(id) -> (status, reason, ahead, moments)        cancel(id)        find(tag) -> ids, or None

where moments are those at which the job was created, began and ended, as ISO 8601 text, None where nobody says.
"""

import base64
import importlib.util
import io
import json
import os
import queue
import sys
import threading
from importlib.metadata import PackageNotFoundError, version


def main(path):
    """Answer until standard input ends."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    lines = queue.SimpleQueue()
    threading.Thread(target=listen, args=(requests, lines), daemon=True).start()
    desk = None
    while True:
        request = json.loads(lines.get())
        answer = {"number": request["number"]}
        try:
            desk = desk or Desk(load(path))
            answer["answer"] = getattr(desk, request["do"])(**request_content(request))
        except Exception as err:  # noqa: BLE001 - all of them are for the other side to judge
            kind = desk.kind(err, request["do"]) if desk else "failed"
            answer |= {"error": kind, "words": str(err.args[0]) if kind == "refused" and err.args else words(err)}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def listen(requests, lines):
    """Hand on each request, and end this process when there will be no more."""
    for line in requests:
        lines.put(line)
    os._exit(0)


def load(path):
    """The vendor's file as a module."""
    spec = importlib.util.spec_from_file_location("vendor", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def request_content(request):
    """What the request is about, circuits unpacked."""
    content = {key: value for key, value in request.items() if key not in ("number", "do")}
    if "circuits" in content:
        from qiskit import qpy

        content["circuits"] = qpy.load(io.BytesIO(base64.b64decode(content["circuits"])))
    return content


def words(err):
    """An error in one text."""
    said = " ".join(str(err).split())
    return f"{type(err).__name__}: {said}" if said else type(err).__name__


class Desk:
    """One method for each request."""

    def __init__(self, vendor):
        self.vendor = vendor
        self.opened = {}

    def device(self, name):
        """Opened once."""
        if name not in self.opened:
            self.opened[name] = self.vendor.device(name)
        return self.opened[name]

    def kind(self, err, doing):
        """What an error means; while a job is sent, nobody knows whether it was taken unless the vendor says so."""
        known = self.vendor.kind(err, doing)
        if known is not None:
            return known
        if type(err) is LookupError:  # raised by a vendor's file itself; a KeyError may come from anywhere
            return "refused"
        if doing == "submit":
            return "lost"
        return "unreachable" if isinstance(err, (ConnectionError, TimeoutError)) else "failed"

    def hello(self):
        """What is installed here."""
        from qiskit import qpy

        packages = {}
        for name in ("qiskit", *self.vendor.PACKAGES):
            try:
                packages[name] = version(name)
            except PackageNotFoundError:
                continue
        return {"packages": packages, "qpy": qpy.common.QPY_VERSION, "devices": self.vendor.devices()}

    def describe(self, device):
        """Everything that is known of a device before it is used."""
        one = self.device(device)
        plain = {key: getattr(one, key) for key in ("summary", "local", "noisy", "most_circuits", "most_shots")}
        return plain | description(one.target)

    def run(self, device, circuits, shots, seed):
        """Counts of each circuit."""
        return self.device(device).run(circuits, shots, seed)

    def submit(self, device, circuits, shots, tag):
        """Id of the job."""
        return self.device(device).submit(circuits, shots, tag)

    def state(self, device, job):
        """Status, reason, jobs ahead, moments."""
        return self.device(device).state(job)

    def counts(self, device, job, n_circuits):
        """Counts of each circuit."""
        return self.device(device).counts(job, n_circuits)

    def cancel(self, device, job):
        """Nothing."""
        self.device(device).cancel(job)

    def find(self, device, tag):
        """Ids."""
        return self.device(device).find(tag)


def description(target):
    """A target of Qiskit's as JSON: its qubits, and each gate with the places, errors and durations it has."""
    gates = []
    for name in target.operation_names:
        places = target[name]
        known = [] if places is None else [(qubits, one) for qubits, one in places.items() if qubits is not None]
        everywhere = places is None or None in places
        gates.append(
            {
                "name": name,
                "places": None if everywhere else [list(qubits) for qubits, _ in known],
                "error": [getattr(one, "error", None) for _, one in known],
                "duration_s": [getattr(one, "duration", None) for _, one in known],
            }
        )
    properties = target.qubit_properties or []
    times = [{"t1_s": getattr(one, "t1", None), "t2_s": getattr(one, "t2", None)} for one in properties]
    return {"n_qubits": target.num_qubits, "gates": gates, "qubits": times}


if __name__ == "__main__":
    main(sys.argv[1])
