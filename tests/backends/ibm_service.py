"""A stand-in for IBM's service over loopback HTTP, for IBM's own client: jobs run on a snapshot, and can be disturbed.

It checks keys and tokens, keeps jobs with their tags, and runs them in the background. What goes wrong is said by words
in `faults`, one for each of the next submissions ("submit"), questions for a job ("job"), its times ("metrics") or its
results ("results"), for jobs by tag ("find") or for what is left of the account ("usage").
"""

import base64
import json
import os
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from ibm_quantum_schemas.common import CompressedTensorModel
from ibm_quantum_schemas.executor import version_2_0 as schema
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime.fake_provider.executor.run_quantum_program import run_quantum_program
from qiskit_ibm_runtime.options_models.simulator import SimulatorOptions
from qiskit_ibm_runtime.quantum_program.converters.converters_2_0 import (
    passthrough_data_to_2_0,
    quantum_program_from_2_0,
)

from backends.providers.ibm import noise_of, snapshot

KEY = "the-secret-key-of-a-test-0123456789"
CRN = "crn:v1:bluemix:public:quantum-computing:us-east:a/0:1::"
NAME = "ibm_test"


class Service:
    """The state of the stand-in.

    Attributes:
        jobs: By id: "status", "tags", "params", "result", "reason", "max_s", "session".
        submissions: Jobs that were sent, those that were refused or lost among them.
        faults: As above; of "submit": "lose" (the job runs, its answer is dropped), "drop" (nothing runs, nothing is
            answered), "moved" (the job runs, on a device that nobody knows), "half" (the job runs, half of the answer
            is sent), "hang" (the job runs), "die" and "die after" (the client ends before and after the job is taken),
            "429", "500" and so on; "" is nothing. Of "fate", for each of the next jobs: "fail", "cancel".
        retry_after: What the service says beside the number 429.
        client_dies: Ends the client.
        delay_s: Before each job runs.
        fails: Whether jobs fail.
        rejects: Whether the key has expired.
        repeats: What the service says of a request that it does not take.
        sessions: By id: whether they are open.
        measured: From the snapshot's properties to those that the device has now.
    """

    def __init__(self, device: str = "fake_manila"):
        self.fake = snapshot(device)
        self.simulator = AerSimulator(noise_model=noise_of(self.fake).model(None))  # as runs of the snapshot have it
        self.jobs: dict[str, dict[str, Any]] = {}
        self.submissions = 0
        self.requests: list[str] = []
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.retry_after = "7"
        self.client_dies: Callable[[], None] = lambda: None
        self.delay_s = 0.0
        self.fails = False
        self.rejects = False
        self.repeats = "disturbed"
        self.plan = "open"
        self.sessions: dict[str, bool] = {}
        self.measured: Callable[[dict[str, Any]], dict[str, Any]] = lambda properties: properties
        self.ending = threading.Event()

    def add(self, payload: dict[str, Any]) -> str:
        """Take a job and start it."""
        job_id = f"job-{uuid.uuid4().hex[:12]}"
        self.jobs[job_id] = {
            "id": job_id,
            "status": "Queued",
            "tags": payload.get("tags", []),
            "params": payload["params"],
            "max_s": payload.get("cost"),
            "session": payload.get("session_id"),
            "fate": self.faults["fate"].pop(0) if self.faults["fate"] else "",
            "created": datetime.now(UTC).isoformat(),
        }
        threading.Thread(target=self.run, args=(job_id,), daemon=True).start()
        return job_id

    def run(self, job_id: str) -> None:
        """Run a job on the snapshot."""
        job = self.jobs[job_id]
        self.ending.wait(self.delay_s)
        if job["status"] != "Queued":
            return
        job |= {"status": "Running", "running": datetime.now(UTC).isoformat()}
        if job["fate"] == "cancel":
            job["status"] = "Cancelled"
            return
        try:
            if self.fails or job["fate"] == "fail":
                raise RuntimeError("the machine has warmed up")
            job |= {"result": self.result_of(job), "finished": datetime.now(UTC).isoformat(), "status": "Completed"}
        except Exception as err:  # noqa: BLE001 - the service says what went wrong
            job |= {"reason": f"{type(err).__name__}: {err}", "result": "", "status": "Failed"}

    def result_of(self, job: dict[str, Any]) -> str:
        """What a job gives, as the service sends it."""
        program, _ = quantum_program_from_2_0(schema.ParamsModel.model_validate(job["params"]))
        for item in program.items:
            if hasattr(item, "samplex"):
                item.samplex.finalize()
            if not item.circuit.parameters and hasattr(item, "circuit_arguments"):
                item.circuit_arguments = None
        result = run_quantum_program(self.simulator, program, SimulatorOptions(seed_simulator=7))
        data = [
            schema.QuantumProgramResultItemModel(
                results={name: CompressedTensorModel.from_numpy(np.asarray(array)) for name, array in item.items()},
                metadata=schema.ItemMetadataModel(),
            )
            for item in result
        ]
        model = schema.QuantumProgramResultModel(
            data=data,
            metadata=schema.MetadataModel(chunk_timing=[]),
            passthrough_data=passthrough_data_to_2_0(program.passthrough_data),
            semantic_role=program._semantic_role,
        )
        return model.model_dump_json()

    def describe(self, job_id: str) -> dict[str, Any]:
        """A job as the service tells it."""
        job = self.jobs[job_id]
        state = {"status": job["status"]} | ({"reason": job["reason"]} if "reason" in job else {})
        return {
            "id": job_id,
            "backend": NAME,
            "state": state,
            "status": job["status"],
            "tags": job["tags"],
            "created": job["created"],
            "program": {"id": "executor"},
            "session_id": job["session"],
        }


class Handler(BaseHTTPRequestHandler):
    service: Service

    def do_GET(self) -> None:
        path, query = self._path()
        if path.startswith("/catalog"):
            kind = "free" if self.service.plan == "open" else "paygo"
            return self._answer(
                {"overview_ui": {"en": {"display_name": self.service.plan}}, "metadata": {"pricing": {"type": kind}}}
            )
        if not self._authorized():
            return None
        kinds = {"/instances/usage": "usage", "/jobs": "find"}
        ends = {"results": "results", "metrics": "metrics"}
        others = ends.get(path.rsplit("/", 1)[1], "job") if path.startswith("/jobs/") else ""
        kind = kinds.get(path, others)
        if self._disturbed(kind):
            return None
        service = self.service
        if path == "/backends":
            return self._answer({"devices": [{"name": NAME}, {"name": "ibm_other"}]})
        if path.startswith("/backends/"):
            what = path.rsplit("/", 1)[1]
            if what == "status":
                return self._answer({"state": True, "status": "active", "length_queue": 0, "backend_version": "1"})
            file = {"configuration": service.fake.conf_filename, "properties": service.fake.props_filename}[what]
            with open(os.path.join(service.fake.dirname, file)) as opened:
                content = json.load(opened)
            content = service.measured(content) if what == "properties" else content
            return self._answer(
                content
                | {"backend_name": path.split("/")[2]}
                | ({"simulator": False} if what == "configuration" else {})
            )
        if path == "/instances/usage":
            return self._answer({"usage_limit_reached": False, "usage_consumed_seconds": 0})
        if path == "/jobs":
            tags = set(query.get("tags", []))
            found = [service.describe(one) for one, job in list(service.jobs.items()) if tags <= set(job["tags"])]
            first = int(query.get("offset", ["0"])[0])
            return self._answer(
                {"jobs": found[first : first + int(query.get("limit", ["20"])[0])], "count": len(found)}
            )
        job_id = path.split("/")[2] if path.startswith("/jobs/") else ""
        if job_id not in service.jobs:
            return self._answer({"error": {"message": "not found", "code": 1291}}, 404)
        if path.endswith("/results"):
            return self._answer(service.jobs[job_id].get("result", ""))
        if path.endswith("/metrics"):
            job = service.jobs[job_id]
            return self._answer({"timestamps": {key: job.get(key) for key in ("created", "running", "finished")}})
        return self._answer(service.describe(job_id))

    def do_POST(self) -> None:
        path, _ = self._path()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service = self.service
        if path == "/identity/token":
            if service.rejects or KEY.encode() not in body:
                return self._answer(
                    {"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."}, 400
                )
            return self._answer(
                {"access_token": _token(), "refresh_token": "none", "token_type": "Bearer", "expires_in": 3600}
            )
        if path == "/v3/resources/search":
            item = {
                "crn": CRN,
                "name": "test",
                "service_plan_unique_id": "plan",
                "doc": {"extensions": {"a": 1}},
                "tags": [],
            }
            return self._answer({"items": [item]})
        if path == "/jobs":
            service.submissions += 1
        if not self._authorized():
            return None
        if path == "/sessions":
            session = f"session-{len(service.sessions)}"
            service.sessions[session] = True
            return self._answer({"id": session})
        if path.endswith("/cancel"):
            job = service.jobs[path.split("/")[2]]
            if job["status"] in ("Completed", "Failed", "Cancelled"):
                return self._answer({"error": {"message": "has ended", "code": 1}}, 409)
            job["status"] = "Cancelled"
            return self._answer("", 204)
        fault = service.faults["submit"][0] if service.faults["submit"] else ""
        if fault in ("lose", "half", "hang", "die after"):
            service.add(json.loads(body))
        if fault == "moved":
            service.faults["submit"].pop(0)
            return self._answer({"id": service.add(json.loads(body)), "backend": "ibm_gone"})
        if self._disturbed("submit"):
            return None
        return self._answer({"id": service.add(json.loads(body)), "backend": NAME})

    def do_PATCH(self) -> None:
        path, _ = self._path()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.service.sessions[path.split("/")[2]] = False
        self._answer({})

    def _path(self) -> tuple[str, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/experimental")
        self.service.requests.append(f"{self.command} {path}")
        return path, parse_qs(parts.query)

    def _authorized(self) -> bool:
        if not self.service.rejects and self.headers.get("Authorization", "").startswith("Bearer "):
            return True
        self._answer({"error": {"message": f"no: {self.headers.get('Authorization')}", "code": 1200}}, 401)
        return False

    def _disturbed(self, kind: str) -> bool:
        """Do the next thing that shall go wrong with this kind of request, if any."""
        if not self.service.faults[kind]:
            return False
        fault = self.service.faults[kind].pop(0)
        if not fault:
            return False
        if fault.isdigit():
            self._answer(
                {"error": {"message": self.service.repeats, "code": int(fault)}},
                int(fault),
                {"Retry-After": self.service.retry_after} if fault == "429" else {},
            )
        elif fault == "half":
            self._answer('{"id": "job-', headers={"Content-Type": "application/json"})
        elif fault == "trickle":
            self.send_response(200)
            self.send_header("Content-Length", "60")
            self.end_headers()
            for _ in range(30):
                self.wfile.write(b"  ")
                self.wfile.flush()
                self.service.ending.wait(0.1)
        elif fault in ("die", "die after"):
            self.service.client_dies()
        elif fault == "hang":
            self.service.ending.wait(30)
        self.close_connection = True
        return True

    def _answer(self, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        data = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        with suppress(OSError):  # the client has gone
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - of the base class
        pass


def _token() -> str:
    now = int(time.time())
    parts = ({"alg": "RS256", "typ": "JWT"}, {"iat": now, "exp": now + 3600, "jti": uuid.uuid4().hex})
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts), "c2ln"]
    )


@contextmanager
def running(service: Service) -> Iterator[dict[str, str]]:
    """Serve, and say by which variables of the environment IBM's client finds the service."""
    handler = type("Handling", (Handler,), {"service": service})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield {
            "QISKIT_IBM_TOKEN": KEY,
            "QISKIT_IBM_INSTANCE": CRN,
            "QISKIT_IBM_URL": f"{base}/experimental",
            "IAM_URL": base,
            "GLOBAL_SEARCH_URL": base,
            "GLOBAL_CATALOG_URL": f"{base}/catalog",
        }
    finally:
        service.ending.set()
        server.shutdown()
        server.server_close()
