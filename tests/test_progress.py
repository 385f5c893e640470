"""The progress bar of Trainer.fit: text in a terminal, a widget in a notebook that has ipywidgets."""

import pytest

from callback_runs import fit, make_trainer
from process import run


def test_progress_shows_metrics(capsys):
    history = fit(make_trainer(), [], epochs=2, metrics=["r2"], progress=True)
    bar = capsys.readouterr().err.replace("\r", "\n").splitlines()[-1]
    assert "100.0/100.0" in bar or "100/100" in bar
    assert "epoch=2" in bar
    assert f"loss={history.loss[-1]:.5f}" in bar
    assert f"validation={history.validation_loss[-1]:.5f}" in bar
    assert f"r2={history.metrics['r2'][-1]:.5f}" in bar


NOTEBOOK = """
import sys, types, warnings
import IPython, ipykernel.zmqshell, ipywidgets
if WITHOUT:
    sys.modules["ipywidgets"] = None
IPython.get_ipython = lambda: types.SimpleNamespace(config={"IPKernelApp": {}})
warnings.simplefilter("error")
from ne_torch.training.progress import _tqdm
print(any(kind.__module__ == "tqdm.notebook" for kind in _tqdm().__mro__))
"""


@pytest.mark.parametrize(("without", "widget"), [(True, False), (False, True)])
def test_progress_in_a_notebook_needs_no_ipywidgets(without, widget):
    pytest.importorskip("ipywidgets")
    pytest.importorskip("ipykernel")
    done = run(NOTEBOOK.replace("WITHOUT", str(without)))
    assert done.stdout.strip() == str(widget), done.stderr
