"""From `python` to the first prediction of a saved predictor, beside `import numpy`; and opening a file."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.predict import frozen
from benchmarks.problems import Net
from benchmarks.timing import repeated, times

NETS = (Net((784, 128, 10), 1), Net((784, 512, 512, 10), 1), Net((4096, 4096, 10), 1))
FIRST = "import numpy, ne_torch; ne_torch.load_predictor({path!r})(numpy.zeros({width}, 'float32'))"


def milliseconds(code: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - begin) * 1000


def measure(_peer: str, seconds: float) -> dict[str, object]:
    import ne_torch as nt

    with tempfile.TemporaryDirectory() as folder:
        paths = {net: str(Path(folder) / f"{max(net.widths)}.safetensors") for net in NETS}
        for net, path in paths.items():
            frozen(net).save(path)
        codes = {"import numpy": "import numpy", "nothing": "pass"}
        codes["first prediction of 784-128-10"] = FIRST.format(path=paths[NETS[0]], width=784)
        found: dict[str, list[float]] = {name: [] for name in codes}
        for _ in range(15):
            for name, code in codes.items():
                found[name].append(milliseconds(code))
        for net, path in paths.items():
            name = f"load_predictor of {net.name.partition(',')[0]}"
            found[name] = [
                t / 1000 for t in times(repeated(lambda path=path: nt.load_predictor(path)), seconds)
            ]
        return found
