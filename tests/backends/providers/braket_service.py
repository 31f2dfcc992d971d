"""A stand-in for Amazon Braket and S3 over loopback HTTP, of which the real SDK does not know that it is none.

One device of three qubits, named 1, 2 and 5, runs verbatim boxes alone, in CZ and PRX. A request with a client token
that was there before gives the task that it gave then. What goes wrong is told to it: see `Service`.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


class Service:
    """The service; `url` is where it listens.

    Attributes:
        tasks: ARN to task, in the order of their creation.
        lose_reply: So many of the next requests to create a task are done, and the connection is closed unanswered.
        refuse: Code of the error, such as ThrottlingException, that the next request to create a task gets.
        fail: Whether tasks fail.
        deny: Whether nobody may list devices.
        limits: Spending limits.
        requests: Bodies of the requests to create a task.
    """

    def __init__(self):
        self.tasks: dict[str, dict] = {}
        self.lose_reply = 0
        self.refuse: tuple[int, str] | None = None
        self.fail = False
        self.deny = False
        self.requests: list[dict] = []
        self.limits: list[dict] = []
        self.capabilities = json.loads(json.dumps(CAPABILITIES))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"service": self}))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

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
        self.tasks[arn] = task
        return task

    def step(self, task):
        """A task is queued, then runs, then ends: one step for each question."""
        task["asked"] += 1
        if task["status"] not in ("CANCELLED", "FAILED"):
            ended = "FAILED" if self.fail else "COMPLETED"
            task["status"] = ["QUEUED", "RUNNING", ended][min(task["asked"], 3) - 1]

    def told(self, task):
        body = task["body"]
        told = {"quantumTaskArn": task["arn"], "status": task["status"], "deviceArn": body["deviceArn"]}
        told |= {"deviceParameters": "{}", "shots": body["shots"], "createdAt": "2026-01-01T00:00:00Z"}
        told |= {"outputS3Bucket": body["outputS3Bucket"], "tags": body["tags"]}
        told |= {"outputS3Directory": f"{body['outputS3KeyPrefix']}/{task['arn'].rsplit('/', 1)[1]}"}
        if task["status"] == "QUEUED":
            told["queueInfo"] = {"queue": "QUANTUM_TASKS_QUEUE", "position": "4", "queuePriority": "Normal"}
        if task["status"] == "FAILED":
            told["failureReason"] = "the ions have left the trap"
        return told

    def result(self, number):
        """What a task has measured, as the file in S3."""
        body = self.tasks[f"arn:aws:braket:eu-north-1:000000000000:quantum-task/{number}"]["body"]
        program = json.loads(body["action"])
        result = LocalSimulator("braket_sv").run(Program(source=program["source"]), shots=body["shots"]).result()
        order = np.argsort(result.measured_qubits)  # machines tell them in the order of their names
        return {
            "braketSchemaHeader": {"name": "braket.task_result.gate_model_task_result", "version": "1"},
            "measurements": np.asarray(result.measurements)[:, order].tolist(),
            "measuredQubits": sorted(int(q) for q in result.measured_qubits),
            "taskMetadata": {
                "braketSchemaHeader": {"name": "braket.task_result.task_metadata", "version": "1"},
                "id": "task",
                "shots": body["shots"],
                "deviceId": ARN,
            },
            "additionalMetadata": {"action": program},
        }


class Handler(BaseHTTPRequestHandler):
    service: Service

    def log_message(self, *args):
        pass

    def answer(self, told, status=200, **headers):
        body = json.dumps(told).encode()
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")

    def do_POST(self):
        service, body = self.service, self.body()
        if self.path == "/devices" and service.deny:
            self.answer({"message": "who are you?"}, 403, **{"x-amzn-ErrorType": "AccessDeniedException"})
        elif self.path == "/devices":
            self.answer({"devices": [service.device(), service.device(SIMULATOR)]})
        elif self.path == "/quantum-tasks":
            # two pages, so that a client that reads the first only finds half
            tasks = [service.told(task) for task in service.tasks.values()]
            half = len(tasks) // 2
            first = "nextToken" not in body
            self.answer({"quantumTasks": tasks[:half], "nextToken": "2"} if first else {"quantumTasks": tasks[half:]})
        elif self.path == "/spending-limits":
            self.answer({"spendingLimits": service.limits})
        elif service.refuse:
            status, code = service.refuse
            self.answer({"message": "not now"}, status, **{"x-amzn-ErrorType": code})
        else:
            task = service.create(body)
            if service.lose_reply:
                service.lose_reply -= 1
                self.close_connection = True
                return
            self.answer({"quantumTaskArn": task["arn"]}, 201)

    def do_GET(self):
        service, path = self.service, unquote(self.path)
        if path.startswith("/device/"):
            arn = path.removeprefix("/device/")
            self.answer(service.device(arn) | {"deviceCapabilities": json.dumps(service.capabilities_of(arn))})
        elif path.startswith("/quantum-task/"):
            task = service.tasks.get(path.removeprefix("/quantum-task/").partition("?")[0])
            if task is None:
                self.answer({"message": "no such task"}, 404, **{"x-amzn-ErrorType": "ResourceNotFoundException"})
                return
            service.step(task)
            self.answer(service.told(task))
        else:
            self.answer(service.result(path.split("/")[-2]))

    def do_PUT(self):
        arn = unquote(self.path).removeprefix("/quantum-task/").removesuffix("/cancel")
        self.service.tasks[arn]["status"] = "CANCELLED"
        self.answer({"quantumTaskArn": arn, "cancellationStatus": "CANCELLED"})
