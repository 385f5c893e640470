"""The examples run: the server answers what the predictor answers."""

import asyncio
import json
import runpy
from pathlib import Path

import ne_torch as nt
import numpy as np
import pytest

from samples import normal, same_bits

pytest.importorskip("starlette")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def predictor():
    return nt.Sequential(nt.Linear(4, 8, rng=0), nt.ReLU(), nt.Linear(8, 3, rng=1)).freeze()


def app_of(predictor):
    return runpy.run_path(str(ROOT / "examples" / "serve.py"))["make_app"](predictor, predictor.in_features)


@pytest.fixture(scope="module")
def app(predictor):
    return app_of(predictor)


def post(app, body, content_type="application/json"):
    """Send one request as a server does; return status and body."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "query_string": b"",
        "headers": [(b"content-type", content_type.encode())],
    }
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_server_answers_json(app, predictor, shape):
    x = normal(shape, "float32")
    status, body = post(app, json.dumps({"x": x.tolist()}).encode())
    assert status == 200
    assert same_bits(np.array(json.loads(body)["y"], "float32"), predictor(x))


def test_server_answers_bytes(app, predictor):
    x = normal((5, 4), "float32")
    status, body = post(app, x.tobytes(), "application/octet-stream")
    assert status == 200
    assert same_bits(np.frombuffer(body, "float32").reshape(5, 3), predictor(x))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"x": 1}', b'{"x": [1, 2]}', b'{"x": ["a"]}', b'{"x": [[1], [1, 2]]}']
)
def test_server_refuses_what_is_no_row(app, body):
    status, answer = post(app, body)
    assert status == 400
    assert "expected" in json.loads(answer)["error"]


@pytest.mark.parametrize(
    "request_of",
    [
        lambda x: (json.dumps({"x": x.tolist()}).encode(),),
        lambda x: (x.tobytes(), "application/octet-stream"),
    ],
)
def test_server_refuses_what_is_no_code(request_of):
    table = nt.TabularEmbedding(2, {0: (3, 2)}, rng=0)
    app = app_of(nt.Sequential(table, nt.Linear(3, 1, rng=1)).freeze())
    assert post(app, *request_of(np.array([2, 0.5], "float32")))[0] == 200
    status, answer = post(app, *request_of(np.array([3, 0.5], "float32")))
    assert status == 400
    assert "expected codes from 0 to 2 in column 0, got 3.0" in json.loads(answer)["error"]


@pytest.mark.parametrize("body", [b"", b"\0" * 15, b"\0" * 17])
def test_server_refuses_bytes_that_are_no_rows(app, body):
    status, answer = post(app, body, "application/octet-stream")
    assert status == 400
    assert "expected rows of 4 float32" in json.loads(answer)["error"]
