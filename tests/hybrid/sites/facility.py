"""A facility on this machine, for tests: its interface over HTTP, its files in a folder, its jobs as processes.

The paths and words are those of the IRI Facility API. Whatever a test wants to go wrong is put into `faults`.
"""

import base64
import hashlib
import json
import subprocess
import tarfile
import threading
from collections import defaultdict
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "iri-token-of-a-test-0123456789"


class Facility:
    """While it is entered, it answers at `url`.

    Attributes:
        root: Where its files are.
        requests: Method and path of each request, in order.
        jobs: Each job's specification and process, by its id.
        faults: For the beginning of a request, such as "POST /compute/job", what the next ones come to, one after the
            other: a status, a status with headers, "lost" (it is done, and the answer never comes), "late" (the same,
            and the client waits for it), "half" (half of a file); None for nothing wrong.
        runs: Whether jobs begin at once.
    """

    def __init__(self, root: Path):
        self.root, self.requests, self.jobs, self.tasks = root, [], {}, {}
        self.faults, self.runs, self.keys = defaultdict(list), True, {}
        self.listed, self._lock = True, threading.Lock()
        self.cancelled, self.bodies = set(), []

    def __enter__(self):
        facility = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                facility.answer(self)

            do_POST = do_DELETE = do_GET  # noqa: N815 - names of the standard library

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/api/v1"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        for job in self.jobs.values():
            if job["process"] is not None and job["process"].poll() is None:
                job["process"].kill()
                job["process"].wait()

    def answer(self, handler):
        parts = urlsplit(handler.path)
        path, query = parts.path.removeprefix("/api/v1"), {k: v[0] for k, v in parse_qs(parts.query).items()}
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        line = f"{handler.command} {path}"
        with self._lock:
            self.requests.append(line)
            self.bodies.append(body)
            fault = next((self.faults[start].pop(0) for start in self.faults if self._meant(start, line)), None)
        if handler.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._say(handler, 401, {"title": "Unauthorized", "detail": "Invalid token"})
        if isinstance(fault, int | tuple):
            status, headers = fault if isinstance(fault, tuple) else (fault, {})
            return self._say(handler, status, {"detail": f"no, with {TOKEN}"}, headers)
        with self._lock:
            status, content = self._do(handler, path.strip("/").split("/"), query, body, fault)
        if fault == "late":
            handler.connection.recv(1)  # until the client has given up
        if fault in ("lost", "late"):
            handler.close_connection = True
            return None
        return self._say(handler, status, content)

    def _meant(self, start, line):
        return line.startswith(start) and self.faults[start]

    def _say(self, handler, status, content, headers=None):
        said = json.dumps(content).encode() if status != 204 else b""
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(said)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(said)

    def _do(self, handler, parts, query, body, fault):
        match [handler.command, *map(unquote, parts)]:
            case ["GET", "status", "resources", _]:
                return 200, {"id": "cpu", "current_status": "up"}
            case ["POST", "compute", "job", _]:
                return self._launch(json.loads(body), handler.headers.get("Idempotency-Key"))
            case ["POST", "compute", "status", _]:
                first, many = int(query.get("offset", 0)), int(query.get("limit", 100))
                spec = query.get("include_spec") == "true"
                jobs = [self._job(number, spec) for number in self.jobs] if self.listed else []
                return 200, jobs[first : first + many]
            case ["GET", "compute", "status", _, number]:
                return (200, self._job(number, False)) if number in self.jobs else (404, {"detail": "no such job"})
            case ["DELETE", "compute", "cancel", _, number]:
                self.cancelled.add(number)
                process = self.jobs[number]["process"]
                if process is not None and process.poll() is None:
                    process.terminate()
                return 204, None
            case ["POST", "filesystem", command, _]:
                if command == "upload":
                    arguments = {"path": query["path"], "content": _file(handler.headers, body)}
                else:
                    arguments = json.loads(body)
                number = f"task-{len(self.tasks) + 1}"
                try:
                    done = getattr(self, f"_{command}")(**arguments)
                    if fault == "half" and command == "download":
                        done = base64.b64encode(base64.b64decode(done)[::2]).decode()
                    self.tasks[number] = {"id": number, "status": "completed", "result": {"output": done}}
                except (OSError, tarfile.TarError) as err:
                    self.tasks[number] = {"id": number, "status": "failed", "result": {"error": str(err)}}
                return 200, {"task_id": number}
            case ["GET", "task", number]:
                return 200, self.tasks[number]
        return 404, {"detail": "Not Found"}

    def _launch(self, spec, key):
        if key is not None and key in self.keys:
            return 200, {"id": self.keys[key]}
        number = str(100 + len(self.jobs))
        self.jobs[number] = {"spec": spec, "process": None}
        self.keys[key] = number
        if self.runs:
            self.start(number)
        return 200, {"id": number}

    def start(self, number):
        """Begin a job."""
        spec = self.jobs[number]["spec"]
        with open(spec["stdout_path"], "ab") as said, open(spec["stderr_path"], "ab") as complained:
            self.jobs[number]["process"] = subprocess.Popen(
                [spec["executable"], *spec["arguments"]],
                cwd=spec["directory"],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=complained,
            )

    def wait(self):
        """Until all jobs that have begun have ended."""
        for job in self.jobs.values():
            if job["process"] is not None:
                job["process"].wait()

    def _job(self, number, with_spec):
        job = self.jobs[number]
        code = None if job["process"] is None else job["process"].poll()
        if job["process"] is None:
            state = "canceled" if number in self.cancelled else "queued"
        elif code is None:
            state = "active"
        else:
            state = "canceled" if number in self.cancelled else "completed" if code == 0 else "failed"
        status = {"state": state, "exit_code": code, "message": "waiting for its turn" if state == "queued" else None}
        return {"id": number, "status": status} | ({"job_spec": job["spec"]} if with_spec else {})

    def _place(self, path):
        place = Path(path).resolve()
        if not place.is_relative_to(self.root.resolve()):
            raise PermissionError(f"{path} is not yours")
        return place

    def _mkdir(self, path, parent=False):
        self._place(path).mkdir(parents=parent)

    def _upload(self, path, content):
        self._place(path).write_bytes(content)

    def _checksum(self, path):
        return {"algorithm": "SHA-256", "checksum": hashlib.sha256(self._place(path).read_bytes()).hexdigest()}

    def _extract(self, path, target_path):
        with tarfile.open(self._place(path)) as archive:
            archive.extractall(self._place(target_path), filter="data")

    def _compress(self, path, target_path):
        with tarfile.open(self._place(target_path), "w:gz") as archive:
            archive.add(self._place(path), arcname=self._place(path).name)

    def _ls(self, path):
        return [
            {"name": one.name, "type": "directory" if one.is_dir() else "file", "size": str(one.stat().st_size)}
            for one in self._place(path).iterdir()
        ]

    def _download(self, path):
        return base64.b64encode(self._place(path).read_bytes()).decode()


def _file(headers: Message, body: bytes) -> bytes:
    mark = headers["Content-Type"].partition("boundary=")[2].encode()
    content = body.partition(b"\r\n\r\n")[2]
    return content[: content.rindex(b"\r\n--" + mark)]
