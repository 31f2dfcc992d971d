"""A stand-in for Amazon Braket and S3 over loopback HTTP, of which the real SDK does not know that it is none.

One device of three qubits, named 1, 2 and 5, runs verbatim boxes alone, in CZ and PRX. A request with a client token
that was there before gives the task that it gave then. What goes wrong is told to it: see `Service`.
"""

import contextlib
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import unquote

import numpy as np
from braket.devices import LocalSimulator
from braket.ir.openqasm import Program

ARN = "arn:aws:braket:eu-north-1::device/qpu/iqm/Standin"
SIMULATOR = "arn:aws:braket:::device/quantum-simulator/amazon/sv0"
CAPABILITIES = {
    "braketSchemaHeader": {"name": "braket.device_schema.iqm.iqm_device_capabilities", "version": "1"},
    "service": {
        "braketSchemaHeader": {"name": "braket.device_schema.device_service_properties", "version": "1"},
        "executionWindows": [{"executionDay": "Everyday", "windowStartHour": "00:00", "windowEndHour": "23:59:59"}],
        "shotsRange": [1, 20000],
        "deviceCost": {"price": 0.00145, "unit": "shot"},
        "deviceDocumentation": None,
        "deviceLocation": "here",
        "updatedAt": "2026-01-01T00:00:00",
    },
    "action": {
        "braket.ir.openqasm.program": {
            "actionType": "braket.ir.openqasm.program",
            "version": ["1"],
            "supportedOperations": ["cz", "prx", "rx", "ry", "rz", "h"],
            "supportedModifiers": [],
            "supportedPragmas": ["verbatim"],
            "forbiddenPragmas": [],
            "forbiddenArrayOperations": [],
            "requiresAllQubitsMeasurement": False,
            "requiresContiguousQubitIndices": False,
            "supportsPartialVerbatimBox": False,
            "supportsUnassignedMeasurements": True,
            "supportPhysicalQubits": True,
            "disabledQubitRewiringSupported": True,
            "supportedResultTypes": [],
        }
    },
    "deviceParameters": {},
    "paradigm": {
        "braketSchemaHeader": {
            "name": "braket.device_schema.gate_model_qpu_paradigm_properties",
            "version": "1",
        },
        "qubitCount": 3,
        "nativeGateSet": ["cz", "prx"],
        "connectivity": {
            "fullyConnected": False,
            "connectivityGraph": {"1": ["2"], "2": ["1", "5"], "5": ["2"]},
        },
    },
}


ERRORS = {
    403: "ExpiredTokenException",
    429: "ThrottlingException",
    500: "InternalServiceException",
    503: "ServiceUnavailableException",
}
"""Code of the error for a number of HTTP's."""

SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"


class Service:
    """The service; `url` is where it listens.

    Attributes:
        tasks: ARN to task, in the order of their creation.
        refuse: Code of the error, such as ThrottlingException, that the next request to create a task gets.
        fail: Whether tasks fail.
        deny: Whether nobody may list devices.
        limits: Spending limits.
        faults: What happens to the next requests of each kind ("submit", "job", "results", "find"), in order; "" is
            nothing. "lose" does what was asked and closes the connection, "drop" closes it, "half" sends half of the
            answer, "hang" waits, "die" and "die after" end the client before and after what was asked is done, numbers
            are those of HTTP. Of "fate", for each of the next tasks: "fail", "cancel".
        client_dies: Ends the client.
        repeats: Whether the same circuit always gives the same counts, in all services of this process.
        requests: Bodies of the requests to create a task.
    """

    measured: ClassVar[dict] = {}
    lock = threading.Lock()

    def __init__(self):
        self.tasks: dict[str, dict] = {}
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.client_dies: Callable[[], None] = lambda: None
        self.repeats = False
        self.refuse: tuple[int, str] | None = None
        self.fail = False
        self.deny = False
        self.requests: list[dict] = []
        self.limits: list[dict] = []
        self.capabilities = json.loads(json.dumps(CAPABILITIES))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"service": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def environment(self, home):
        """Variables with which Amazon's SDK comes here, and to no configuration of the user's."""
        return {
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "eu-north-1",
            "AWS_DEFAULT_REGION": "eu-north-1",
            "AWS_CONFIG_FILE": str(home / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
            "BRAKET_ENDPOINT": self.url,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ENDPOINT_URL_BRAKET": self.url,
            "AMZN_BRAKET_TASK_RESULTS_S3_URI": "s3://amazon-braket-results/runs",
            "no_proxy": "127.0.0.1",
        }

    def fault(self, kind):
        """The next word of a kind."""
        return self.faults[kind].pop(0) if self.faults[kind] else ""

    def device(self, arn=ARN):
        """The device, or a simulator, by its ARN."""
        name, provider, kind = ("Standin", "IQM", "QPU") if arn == ARN else ("SV0", "Amazon", "SIMULATOR")
        told = {"deviceArn": arn, "deviceName": name, "providerName": provider, "deviceType": kind}
        return told | {"deviceStatus": "ONLINE"}

    def capabilities_of(self, arn):
        if arn == ARN:
            return self.capabilities
        told = json.loads(LocalSimulator("braket_sv").properties.json())
        told["action"]["braket.ir.openqasm.program"]["supportedOperations"].remove("iswap")
        cost = {"deviceCost": {"price": 0.075, "unit": "minute"}, "shotsRange": [0, 100000]}
        return told | {"service": self.capabilities["service"] | cost}

    def create(self, body):
        self.requests.append(body)
        for task in self.tasks.values():
            if task["token"] == body["clientToken"]:
                return task
        arn = f"arn:aws:braket:eu-north-1:000000000000:quantum-task/{len(self.tasks)}"
        task = {"arn": arn, "token": body["clientToken"], "status": "QUEUED", "body": body, "asked": 0}
        task["fate"] = self.fault("fate")
        self.tasks[arn] = task
        return task

    def step(self, task):
        """A task is queued, then runs, then ends: one step for each question."""
        task["asked"] += 1
        if task["status"] not in ("CANCELLED", "FAILED"):
            told = {"fail": "FAILED", "cancel": "CANCELLED"}
            ended = "FAILED" if self.fail else told.get(task["fate"], "COMPLETED")
            task["status"] = ["QUEUED", "RUNNING", ended][min(task["asked"], 3) - 1]

    def told(self, task):
        body = task["body"]
        told = {"quantumTaskArn": task["arn"], "status": task["status"], "deviceArn": body["deviceArn"]}
        told |= {"deviceParameters": "{}", "shots": body["shots"], "createdAt": "2026-01-01T00:00:00Z"}
        told |= {"outputS3Bucket": body["outputS3Bucket"], "tags": body["tags"]}
        if task["status"] not in ("QUEUED", "RUNNING"):
            told["endedAt"] = "2026-01-01T00:10:00Z"
        told |= {"outputS3Directory": f"{body['outputS3KeyPrefix']}/{task['arn'].rsplit('/', 1)[1]}"}
        if task["status"] == "QUEUED":
            told["queueInfo"] = {"queue": "QUANTUM_TASKS_QUEUE", "position": "4", "queuePriority": "Normal"}
        if task["status"] == "FAILED":
            told["failureReason"] = "the ions have left the trap"
        return told

    def result(self, number):
        """What a task has measured, as the file in S3."""
        body = self.tasks[f"arn:aws:braket:eu-north-1:000000000000:quantum-task/{number}"]["body"]
        program, asked = json.loads(body["action"]), (body["action"], body["shots"])
        with self.lock:
            if not self.repeats or asked not in self.measured:
                self.measured[asked] = self._measured(program, body["shots"])
        return self.measured[asked]

    def _measured(self, program, shots):
        result = LocalSimulator("braket_sv").run(Program(source=program["source"]), shots=shots).result()
        order = np.argsort(result.measured_qubits)  # machines tell them in the order of their names
        return {
            "braketSchemaHeader": {"name": "braket.task_result.gate_model_task_result", "version": "1"},
            "measurements": np.asarray(result.measurements)[:, order].tolist(),
            "measuredQubits": sorted(int(q) for q in result.measured_qubits),
            "taskMetadata": {
                "braketSchemaHeader": {"name": "braket.task_result.task_metadata", "version": "1"},
                "id": "task",
                "shots": shots,
                "deviceId": ARN,
            },
            "additionalMetadata": {"action": program},
        }


class Handler(BaseHTTPRequestHandler):
    service: Service

    def log_message(self, *args):
        pass

    def do_POST(self):
        self._do("POST")

    def do_GET(self):
        self._do("GET")

    def do_PUT(self):
        self._do("PUT")

    def _do(self, method):
        service, path = self.service, unquote(self.path).partition("?")[0]
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        kind = kind_of(method, path)
        fault = service.fault(kind)
        self.close_connection = fault in ("lose", "drop", "hang", "die", "die after", "half")
        if fault.isdigit():
            self._send(*refusal(int(fault), ERRORS[int(fault)], "no luck today", in_s3=kind == "results"))
        elif fault == "hang":
            time.sleep(3)
        elif fault == "die":
            service.client_dies()
        elif fault != "drop":
            answer = self._told(method, path, body)
            if fault == "die after":
                service.client_dies()
            elif fault != "lose":
                self._send(*answer, half=fault == "half")

    def _told(self, method, path, body):
        """Status, content and error type of the answer."""
        service = self.service
        if path == "/devices":
            if service.deny:
                return refusal(403, "AccessDeniedException", "who are you?")
            return 200, {"devices": [service.device(), service.device(SIMULATOR)]}, {}
        if path == "/quantum-tasks":
            # two pages, so that a client that reads the first only finds half
            tasks = [service.told(task) for task in service.tasks.values()]
            half, first = len(tasks) // 2, "nextToken" not in body
            return (
                200,
                {"quantumTasks": tasks[:half], "nextToken": "2"} if first else {"quantumTasks": tasks[half:]},
                {},
            )
        if path == "/spending-limits":
            return 200, {"spendingLimits": service.limits}, {}
        if method == "POST":
            if service.refuse:
                return refusal(*service.refuse, "not now")
            return 201, {"quantumTaskArn": service.create(body)["arn"]}, {}
        if method == "PUT":
            arn = path.removeprefix("/quantum-task/").removesuffix("/cancel")
            service.tasks[arn]["status"] = "CANCELLED"
            return 200, {"quantumTaskArn": arn, "cancellationStatus": "CANCELLED"}, {}
        if path.startswith("/device/"):
            arn = path.removeprefix("/device/")
            return 200, service.device(arn) | {"deviceCapabilities": json.dumps(service.capabilities_of(arn))}, {}
        if path.startswith("/quantum-task/"):
            task = service.tasks.get(path.removeprefix("/quantum-task/"))
            if task is None:
                return refusal(404, "ResourceNotFoundException", "no such task")
            service.step(task)
            return 200, service.told(task), {}
        return 200, service.result(path.split("/")[-2]), {}

    def _send(self, status, told, headers, *, half=False):
        data = told.encode() if isinstance(told, str) else json.dumps(told).encode()
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(key, value)
        with contextlib.suppress(OSError):  # the client has gone
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if half else data)


def kind_of(method, path):
    """What is asked for, as `Service.faults` names it."""
    if path.startswith("/quantum-task/"):
        return "job" if method == "GET" else "cancel"
    known = {"/quantum-task": "submit", "/quantum-tasks": "find", "/spending-limits": "limits"}
    return known.get(path) or ("device" if path.startswith("/device") else "results")


def refusal(status, code, message, *, in_s3=False):
    """An error as Braket writes it, or as S3 does."""
    headers = {"Retry-After": "1"} if status == 429 else {}
    if in_s3:
        return status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>", headers
    return status, {"message": message}, headers | {"x-amzn-ErrorType": code}
