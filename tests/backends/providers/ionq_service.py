"""A stand-in for IonQ's cloud over loopback HTTP, API v0.4. It runs the circuits that it is sent, in the background.

Its simulators compute density matrices: "ideal" has no noise, every other noise model, and the machine qpu.forte-1,
depolarizing noise of the strengths given. What goes wrong is told to it: see `Service`.
"""

import contextlib
import hashlib
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import DensityMatrix, Operator, Pauli

KEY = "a-key-of-nobody"
FIELDS = {"type", "name", "metadata", "backend", "shots", "input", "settings", "noise", "session_id", "dry_run"}
NAMES = {
    "cnot": "cx",
    "not": "x",
    "si": "sdg",
    "ti": "tdg",
    "v": "sx",
    "vi": "sxdg",
    "xx": "rxx",
    "yy": "ryy",
    "zz": "rzz",
}
PAULIS = {n: [""] for n in (1, 2)}
for _n in PAULIS:
    for _ in range(_n):
        PAULIS[_n] = [word + letter for word in PAULIS[_n] for letter in "IXYZ"]


class Service:
    """The service; `url` is its root.

    Args:
        one_qubit_error: Probability that one of X, Y, Z, each as likely, follows a gate on one qubit.
        two_qubit_error: The same for the 15 Paulis that may follow a gate on two.
        seconds: For so long a job is queued, and for so long again it runs.

    Attributes:
        jobs: Id to job.
        faults: What happens to the next requests of each kind ("submit", "job", "results", "find", "estimate",
            "cancel"), in order; "" is nothing. "lose" does what was asked and closes the connection, "drop" closes it,
            "half" sends half of the JSON, "hang" waits until the client has gone, "die" and "die after" end the client
            before and after what was asked is done, numbers are those of HTTP. Of "fate", for each of the next jobs:
            "fail", "cancel".
        retry_after: What the service says beside the number 429.
        client_dies: Ends the client.
        repeats: Whether the same circuit always gives the same counts.
        fail: Whether jobs fail.
        predicted_wait_ms: How long it says that jobs will wait; None for nothing.
    """

    def __init__(self, one_qubit_error=0.01, two_qubit_error=0.05, seconds=0.0, seed=0):
        self.one, self.two, self.seconds = one_qubit_error, two_qubit_error, seconds
        self.jobs: dict[str, dict] = {}
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.retry_after = "7"
        self.client_dies: Callable[[], None] = lambda: None
        self.repeats = False
        self.fail = False
        self.predicted_wait_ms: int | None = None
        self.paths: list[str] = []
        self.page = 2
        self._rng = np.random.default_rng(seed)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"service": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v0.4"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def fault(self, kind):
        """The next word of a kind."""
        return self.faults[kind].pop(0) if self.faults[kind] else ""

    def create(self, body):
        with self._lock:
            number = len(self.jobs)
            job_id = f"00000000-0000-4000-8000-{number:012d}"
            job = {"id": job_id, "status": "ready", "type": body["type"], "backend": body["backend"], "body": body}
            job |= {"shots": body.get("shots", 100), "metadata": body.get("metadata"), "name": body.get("name")}
            job |= {
                "failure": None,
                "child_job_ids": None,
                "stats": {"qubits": body["input"].get("qubits", 1), "circuits": 1},
            }
            job |= {"failure": None, "results": None, "execution_duration_ms": None, "dry_run": False}
            job |= {"submitted_at": stamp(), "started_at": None, "completed_at": None}
            job |= {"predicted_wait_time_ms": self.predicted_wait_ms}
            digest = hashlib.sha256(json.dumps([body["input"], body["shots"]]).encode()).digest()
            job["seed"] = int.from_bytes(digest[:8], "little") if self.repeats else int(self._rng.integers(2**31))
            job["fate"] = self.fault("fate")
            self.jobs[job_id] = job
        threading.Thread(target=self._work, args=(job,), daemon=True).start()
        return job

    def _work(self, job):
        time.sleep(self.seconds)
        if job["status"] == "canceled":
            return
        job |= {"status": "started", "started_at": stamp()}
        time.sleep(self.seconds)
        if job["fate"] == "cancel":
            job["status"] = "canceled"
            return
        if self.fail or job["fate"] == "fail":
            job |= {"status": "failed", "failure": {"code": "SystemError", "error": "the chain has melted"}}
            return
        job["probabilities"] = self._run(job)
        url = f"/v0.4/jobs/{job['id']}/results/probabilities"
        job |= {"results": {"probabilities": {"url": url}}, "execution_duration_ms": 12, "completed_at": stamp()}
        job["status"] = "completed"

    def _run(self, job):
        body = job["body"]
        model = body.get("noise", {}).get("model", "ideal")
        noisy = body["backend"] != "simulator" or model != "ideal"
        p = simulated(body["input"], self.one if noisy else 0, self.two if noisy else 0)
        if noisy:
            p = np.random.default_rng(job["seed"]).multinomial(job["shots"], p) / job["shots"]
        return {str(k): float(value) for k, value in enumerate(p) if value > 1e-12}


def stamp():
    """Now, as the service writes it: to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def simulated(circuit, one, two):
    """Probabilities of all bit strings; bit q of an index is qubit q."""
    known, n = get_standard_gate_name_mapping(), circuit["qubits"]
    rho = DensityMatrix.from_int(0, 2**n)
    for gate in circuit["circuit"]:
        controls = gate.get("controls", [gate["control"]] if "control" in gate else [])
        targets = gate.get("targets", [gate["target"]] if "target" in gate else [])
        name = gate["gate"].removeprefix("c") if gate["gate"] == "cnot" else gate["gate"]
        operation = known[NAMES.get(name, name)].copy()
        if operation.params:
            operation.params = [gate["rotation"]]
        if controls:
            operation = operation.control(len(controls))
        on = [*controls, *targets]
        rho = rho.evolve(Operator(operation), on)
        error, others = (one if len(on) == 1 else two), PAULIS[len(on)][1:]
        if error:
            mixed = sum(rho.evolve(Pauli(word), on).data for word in others) / len(others)
            rho = DensityMatrix((1 - error) * rho.data + error * mixed)
    p = rho.probabilities().clip(0)
    return p / p.sum()


class Handler(BaseHTTPRequestHandler):
    service: Service

    def log_message(self, *args):
        pass

    def do_POST(self):
        self._do("POST")

    def do_PUT(self):
        self._do("PUT")

    def do_GET(self):
        self._do("GET")

    def _do(self, method):
        service = self.service
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        service.paths.append(f"{method} {self.path}")
        fault = service.fault(self._kind(method))
        self.close_connection = fault in ("lose", "drop", "hang", "die", "die after")
        if fault.isdigit():
            told = {"statusCode": int(fault), "error": "disturbed", "message": "no luck today"}
            self._send(int(fault), told, {"Retry-After": service.retry_after} if fault == "429" else {})
        elif fault == "hang":
            time.sleep(3)
        elif fault == "die":
            service.client_dies()
        elif fault != "drop":
            status, told = self._told(method, body)
            if fault == "lose":
                return
            if fault == "die after":
                service.client_dies()
                return
            self._send(status, told, half=fault == "half")

    def _kind(self, method):
        path = urlsplit(self.path).path.removeprefix("/v0.4")
        if path == "/jobs":
            return "submit" if method == "POST" else "find"
        ends = {"estimate": "estimate", "probabilities": "results", "cancel": "cancel"}
        return ends.get(path.rsplit("/", 1)[1], "job" if path.startswith("/jobs/") else "device")

    def _told(self, method, body):
        service, parts = self.service, urlsplit(self.path)
        path, query = parts.path.removeprefix("/v0.4"), parse_qs(parts.query)
        if path.startswith("/backends/"):
            name = path.removeprefix("/backends/")
            if name not in ("qpu.forte-1", "simulator"):
                return 404, {"statusCode": 404, "error": "Not Found", "message": f"no backend {name}"}
            return 200, {"backend": name, "status": "available", "qubits": 36 if name != "simulator" else 29}
        if self.headers.get("Authorization") != f"apiKey {KEY}":
            said = f"unknown key {self.headers.get('Authorization')}"
            return 401, {"statusCode": 401, "error": "Unauthorized", "message": said}
        if path == "/jobs" and method == "POST":
            if not set(body) <= FIELDS:
                return 400, {"statusCode": 400, "error": "Bad Request", "message": f"fields {set(body) - FIELDS}"}
            job = service.create(body)
            return 201, {"id": job["id"], "status": job["status"], "session_id": None}
        if path == "/jobs":
            jobs = [job for job in service.jobs.values() if job["backend"] == query.get("target", [job["backend"]])[0]]
            first = int(query.get("next", ["0"])[0])
            last = first + service.page
            return 200, {"jobs": list(map(shown, jobs[first:last])), "next": str(last) if last < len(jobs) else None}
        if path == "/jobs/estimate":
            one, two = int(query["1q_gates"][0]), int(query["2q_gates"][0])
            shots = int(query["shots"][0])
            cost = 10 + shots * (0.0001 * one + 0.001 * two)
            return 200, {
                "estimated_cost": cost,
                "cost_unit": "usd",
                "estimated_execution_time": 1.5,
                "input_values": {},
            }
        job = service.jobs.get(path.split("/")[2])
        if job is None:
            return 404, {"statusCode": 404, "error": "Not Found", "message": "no such job"}
        if path.endswith("/results/probabilities"):
            return 200, job["probabilities"]
        if path.endswith("/status/cancel"):
            job["status"] = "canceled"
        return 200, shown(job)

    def _send(self, status, told, headers=None, *, half=False):
        data = json.dumps(told).encode()
        self.send_response(status)
        for key, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **(headers or {}),
        }.items():
            self.send_header(key, value)
        with contextlib.suppress(OSError):  # the client has gone
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if half else data)
        if half:
            self.close_connection = True


def shown(job):
    return {key: value for key, value in job.items() if key not in ("body", "probabilities", "seed", "fate")}
