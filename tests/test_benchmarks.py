"""The benchmark computes what it says: peers agree, the page comes from the results. No time is asserted."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def root_comes_last_in_the_path(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT)])


PEERS = ("ne_torch", "torch.eager")


@pytest.mark.parametrize(
    ("recipe", "peers"),
    [
        ((), (*PEERS, "numpy", "torch.by_hand")),
        (("tanh", "mse", "adam"), (*PEERS, "torch.foreach", "torch.fused")),
        (("relu", "cross_entropy", "adam"), (*PEERS, "torch.foreach", "torch.fused")),
    ],
)
def test_peers_train_the_same_net(recipe, peers):
    from benchmarks.problems import Net
    from benchmarks.worker import trainer_of

    net = Net((7, 5, 3), 8, *recipe)
    losses = {}
    for peer in peers:
        run, loss = trainer_of(peer)(net)
        run(50)
        losses[peer] = loss()
    np.testing.assert_allclose(list(losses.values()), losses["ne_torch"], rtol=1e-5)


def test_page_names_what_is_behind():
    from benchmarks import report, report_estimators, report_recipes
    from benchmarks.estimators import FITS
    from benchmarks.predict import PEERS
    from benchmarks.problems import LAYERS, NEIGHBOURS, PREDICTIONS, RECIPES, STEPS

    def entry(nets, us):
        return {net.name: {"us": [us] * 3} for net in nets}

    shapes = [*NEIGHBOURS, *NEIGHBOURS.values()]
    layers = {f"{batch} x {n} -> {m}": {"forward": [2.0], "backward": [2.0]} for batch, n, m in LAYERS}
    predicted = [(peer, 6.0 if peer.startswith("onnx") else 100.0) for peer in PEERS[4:]]
    predicted += [(peer, 2.0) for peer in PEERS[:4]]
    accuracy = {"right": 97, "changed": 1, "error": 0.125, "bytes": 1000}
    http_keys = ("requests a second", "p50 us", "p99 us")
    results = {
        "machine": {"processor": "made up"},
        "threads": 2,
        "peak": {"1": [100.0], "2": [200.0]},
        "steps": {
            f"{peer}, {n}": entry(STEPS, us)
            for peer, us in (("ne_torch", 10.0), ("torch", 5.0), ("torch.by_hand", 4.0))
            for n in (1, 2)
        }
        | {f"{peer}, {n}": entry(STEPS, 1e6) for peer in ("jax", "numpy") for n in (1, 2)},
        "recipes": {
            f"{peer}, {n}": entry(RECIPES, us)
            for peer, us in (("ne_torch", 1000.0), ("torch.fused", 2000.0), ("jax", 2000.0))
            for n in (1, 2)
        },
        "regularised": {"ne_torch, 2": {"seconds": [1.25], "right": 985, "images": 1000}},
        "estimators": {
            f"{peer}, 2": {
                key: {"seconds": [s], "scores": [0.5], "samples": 9, "flops": [1.5e11]} for key in FITS
            }
            for peer, s in (("ne_torch", 1.0), ("sklearn", 6.0))
        },
        "shapes": {"ne_torch, 1": entry(shapes, 10.0), "ne_torch, 2": entry(shapes, 12.0)},
        "layers": {f"{peer}, {n}": layers for peer in ("ne_torch", "numpy") for n in (1, 2)},
        "epoch": {
            "ne_torch, 1": {"seconds": [1.0], "megabytes": 3.0, "features": 180.0},
            "ne_torch.uint8, 1": {"seconds": [0.9], "megabytes": 3.0, "features": 45.0},
            "torch, 1": {"seconds": [4.0]},
        },
        "small": {"ne_torch, 1": {"a call": [1.0]}},
        "predict": {f"{peer}, {n}": entry(PREDICTIONS, us) for peer, us in predicted for n in (1, 2)},
        "startup": {"ne_torch, 1": {"import numpy": [100.0], "first": [130.0]}},
        "accuracy": {"ne_torch, 2": {"data": "MNIST", "images": 100, "int8": accuracy}},
        "http": {"ne_torch, 2": {"8 connections": {k: [7.0] for k in http_keys}}},
    }
    page = report.page(results, "## Notes\n\nby hand")
    # 2 * 64 * (2 * 784 * 128 + 3 * 128 * 10) operations, 130.9 us at 200 GFLOP/s
    assert "784-128-10, 64: 0.50 times torch, 1 threads, floor 3.5; 0.04 at the FMA peak" in page
    assert "784-128-10, 64: 0.40 times torch.by_hand, 1 threads\n" in page
    assert "step of 784-128-10, 63: 1.20 times one thread's time" in page
    toolbox = report_recipes.page(results)
    assert "784-128-10, 64, cross_entropy, adam: 2.00 times torch.fused, 1 threads, floor 3" in toolbox
    assert "4-32-16-4, 10000, tanh, adam: 20% of the peak of all threads, floor 35%" in toolbox
    assert "| ne_torch, 2 | 1.25 | 98.50% |" in toolbox
    beside = report_estimators.page(results)
    assert (
        "| MNIST, 9 samples | 512 | at most 5 | 1 | 6 | 6.00 | 5 | 8.0 | 0.5000 ± 0.0000 | 0.5000 ±" in beside
    )
    assert "FMA peak, measured between the rounds: 1 thread(s) 100 GFLOP/s" in toolbox
    assert (
        "The best of torch over the best of ne_torch: 4.00. From uint8 features an epoch takes 0.90 " in page
    )
    assert "| ne_torch.uint8, 1 | 0.900 | 45 | 3 |" in page
    assert "FMA peak, measured between the rounds: 1 thread(s) 100 GFLOP/s" in page
    # 2 * (64 * 32 + 32 * 10) operations, 0.04736 us at 100 GFLOP/s
    assert "prediction of 64-32-10, 1, 1 thread(s): 3.00 times onnxruntime, floor 4; 126.69 at the" in page
    assert "| int8 | 97.00% | 1 | 0.12 | 1,000 |" in page
    assert "| first | 130 | 1.30 |" in page
    assert "| ne_torch | 8 connections | 7 | 7 | 7 |" in page
    assert page.endswith("by hand\n")


def test_pages_are_written_when_all_their_questions_have_answers(tmp_path, capsys):
    from benchmarks.__main__ import write_pages
    from benchmarks.estimators import FITS

    fits = {
        f"{peer}, 2": {key: {"seconds": [1.0], "scores": [0.5], "samples": 9, "flops": [1.0]} for key in FITS}
        for peer in ("ne_torch", "sklearn")
    }
    small = {"ne_torch, 1": {"a call": [1.5]}}
    write_pages(
        {"machine": {"processor": "made up"}, "threads": 2, "estimators": fits, "small": small}, tmp_path
    )
    printed = capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["performance_estimators.md"]
    assert (
        "docs/performance.md stays as it is: not measured here yet: steps, shapes, layers, epoch" in printed
    )
    assert "| ne_torch | a call | 1.5 us |" in printed


def test_peers_predict_the_same():
    from benchmarks.predict import caller
    from benchmarks.problems import Net

    net = Net((7, 5, 3), 8)
    expected = caller("numpy", net)()
    for peer in ("ne_torch", "ne_torch.out", "torch"):
        np.testing.assert_allclose(caller(peer, net)(), expected, rtol=1e-4, atol=1e-6)
    for peer in ("ne_torch.bfloat16", "ne_torch.int8"):
        np.testing.assert_allclose(caller(peer, net)(), expected, atol=0.1)


def test_times_are_counted_per_call():
    from benchmarks.timing import repeated, times

    calls = []
    found = times(repeated(lambda: calls.append(0)), 0.01)
    assert len(found) == 7
    assert all(time > 0 for time in found)
    assert len(calls) > 7
