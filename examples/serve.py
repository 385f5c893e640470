"""A model over HTTP, with Starlette: one row or a batch in, its prediction out.

    python examples/serve.py net.safetensors --port 8000       # a file of predictor.save
    curl -d '{"x": [0.5, 1, 0, 2]}' http://127.0.0.1:8000/predict

The body is JSON, ``{"x": row or rows}``, answered by ``{"y": ...}``; or, as application/octet-stream, the
little-endian float32 of whole rows, answered by those of the predictions. A prediction of a small net takes
microseconds, so it is made in the event loop itself: handing it to a thread would take longer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

import ne_torch as nt
import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

BINARY = "application/octet-stream"


def make_app(predict: Callable[[np.ndarray], np.ndarray], in_features: int) -> Starlette:
    """Return an application that answers POST /predict by ``predict(x)``, x of shape (..., in_features)."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        binary = request.headers.get("content-type") == BINARY
        if binary:
            if not body or len(body) % (4 * in_features):
                return JSONResponse({"error": f"expected rows of {in_features} float32"}, status_code=400)
            x = np.frombuffer(body, "<f4").reshape(-1, in_features)
        else:
            try:
                x = np.asarray(json.loads(body)["x"], np.float32)
            except (ValueError, TypeError, KeyError) as error:
                return JSONResponse({"error": f'expected {{"x": numbers}}: {error}'}, status_code=400)
            if x.ndim == 0 or x.shape[-1] != in_features:
                message = f"expected x of shape (..., {in_features}), got {x.shape}"
                return JSONResponse({"error": message}, status_code=400)
        try:
            y = predict(x)
        except ValueError as error:  # a number that is no code of its category
            return JSONResponse({"error": str(error)}, status_code=400)
        return Response(y.tobytes(), media_type=BINARY) if binary else JSONResponse({"y": y.tolist()})

    return Starlette(routes=[Route("/predict", answer, methods=["POST"])])


def main() -> None:
    import uvicorn

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="a file of predictor.save")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    predictor = nt.load_predictor(arguments.model)
    app = make_app(predictor, predictor.in_features)
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
