"""What an IQM server answers, as far as it is used: jobs of flipped qubits on a device of three in a line."""

import json
import math
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

NOBODY = "00000000-0000-0000-0000-000000000000"


def gate(*loci):
    implementations = {"one": {"loci": loci}}
    return {"implementations": implementations, "default_implementation": "one", "override_default_implementation": {}}


SINGLE = (["QB1"], ["QB2"], ["QB3"])
ARCHITECTURE = {
    "calibration_set_id": NOBODY,
    "qubits": ["QB1", "QB2", "QB3"],
    "computational_resonators": [],
    "gates": {"prx": gate(*SINGLE), "measure": gate(*SINGLE), "cz": gate(["QB1", "QB2"], ["QB2", "QB3"])},
}


class Server:
    """Its jobs, what it saw, and the trouble that it makes."""

    def __init__(self):
        self.jobs, self.tokens, self.waiting, self.trouble = {}, set(), False, ""

    def answer(self, method, path, body):
        match [method, *path.partition("?")[0].strip("/").split("/")[2:]]:
            case ["GET", "quantum-computers"]:
                one = {"id": NOBODY, "alias": "garnet", "display_name": "Garnet", "proxy_path": None}
                return 200, {"quantum_computers": [one]}
            case ["GET", "calibration-sets", *_]:
                return 200, ARCHITECTURE
            case ["POST", "jobs", "garnet", "circuit"]:
                job = str(uuid4())
                self.jobs[job] = json.loads(body)
                return 200, self.data(job)
            case ["GET", "jobs", job] if job in self.jobs:
                return 200, self.data(job)
            case ["GET", "jobs", job, "payload"]:
                return 200, self.jobs[job]
            case ["GET", "jobs", job, "artifacts", "measurements"]:
                return 200, [measured(one, self.jobs[job]["shots"]) for one in self.jobs[job]["circuits"]]
            case ["POST", "jobs", job, "cancel"]:
                del self.jobs[job]
                return 200, {}
        return 404, {"error_code": "not_found", "message": "there is none"}

    def data(self, job):
        waiting = {"status": "waiting", "queue_position": 2} if self.waiting else {"status": "completed"}
        return {"id": job, "type": "circuit"} | waiting


def measured(circuit, shots):
    flipped, results = set(), {}
    for one in circuit["instructions"]:
        if one["name"] == "prx" and math.isclose(abs(one["args"]["angle"]), math.pi):
            flipped ^= set(one["locus"])
        if one["name"] == "measure":
            results[one["args"]["key"]] = [[int(one["locus"][0] in flipped)]] * shots
    return results


@contextmanager
def served():
    """A server on this machine, and its address."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.tokens.add(self.headers.get("Authorization"))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, content = server.answer(self.command, self.path, body)
            if server.trouble == "denied":
                token = self.headers.get("Authorization")
                code, content = 401, {"error_code": "unauthorized", "message": f"what is {token}?"}
            if server.trouble == "silence" and self.command == "POST":
                self.connection.close()
                return
            if server.trouble == "away":
                code, content = 503, {"error_code": "unavailable", "message": "come back later"}
            data = json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format, *args):  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        try:
            yield server, f"http://127.0.0.1:{http.server_port}"
        finally:
            http.shutdown()
