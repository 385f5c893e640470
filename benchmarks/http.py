"""examples/serve.py under load, beside the same server with onnxruntime: requests a second and p99.

One server process on one processor, wrk on another; each request is one row of 784-128-10 as float32 bytes.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.predict import frozen, onnx_session
from benchmarks.problems import Net
from benchmarks.runner import ROOT

NET = Net((784, 128, 10), 1)
PEERS = ("ne_torch", "onnxruntime")
CONNECTIONS = (1, 8)
SERVER = "import sys; sys.path.append(sys.argv[1]); from benchmarks.http import serve; serve(*sys.argv[2:])"
SCRIPT = """
local file = io.open("{body}", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers["content-type"] = "application/octet-stream"
function done(summary, latency)
  local failed = summary.errors
  io.write(string.format("FOUND %d %d %.1f %.1f %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    failed.status + failed.connect + failed.read + failed.timeout))
end
"""


def serve(peer: str, port: str) -> None:
    """The server's process."""
    import uvicorn

    sys.path.append(str(ROOT / "examples"))
    from serve import make_app

    if peer == "ne_torch":
        predict = frozen(NET)
    else:
        session = onnx_session(NET)

        def predict(x):
            return session.run(None, {"x": x})[0]

    app = make_app(predict, NET.widths[0])
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def wait_for(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the server did not start")


def measure(peer: str, seconds: float) -> dict[str, object]:
    wrk = shutil.which("wrk")
    if wrk is None:
        return {}
    cpus = sorted(os.sched_getaffinity(0))
    port = free_port()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NE_TORCH_NUM_THREADS": "1"}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(ROOT), peer, str(port)],
        env=environment,
        preexec_fn=lambda: os.sched_setaffinity(0, cpus[:1]),
        cwd=tempfile.gettempdir(),
    )
    try:
        wait_for(port)
        with tempfile.TemporaryDirectory() as folder:
            body, script = Path(folder) / "body", Path(folder) / "post.lua"
            body.write_bytes(NET.data()[0].tobytes())
            script.write_text(SCRIPT.format(body=body))
            found: dict[str, object] = {}
            for count in CONNECTIONS:
                done = subprocess.run(
                    [wrk, "-t1", f"-c{count}", f"-d{max(2, round(20 * seconds))}s", "-s", script,
                     f"http://127.0.0.1:{port}/predict"],
                    capture_output=True,
                    text=True,
                    check=True,
                    preexec_fn=lambda: os.sched_setaffinity(0, cpus[-1:]),
                )  # fmt: skip
                words = re.search(r"FOUND (.*)", done.stdout).group(1).split()
                requests, us, p50, p99, failed = map(float, words)
                assert failed == 0, done.stdout
                found[f"{count} connections"] = {
                    "requests a second": [requests / us * 1e6],
                    "p50 us": [p50],
                    "p99 us": [p99],
                }
            return found
    finally:
        server.terminate()
        server.wait()
