"""model.summary(), what a notebook shows of a model, and history.plot()."""

import builtins
from html.parser import HTMLParser

import matplotlib as mpl
import ne_torch as nt
import pytest

from callback_runs import fit, make_trainer


class Own(nt.Layer):
    def forward(self, x):
        return x

    backward = forward


def test_summary_counts_parameters_and_outputs():
    model = nt.Sequential(nt.Linear(4, 1200), nt.Sequential(nt.ReLU(), Own()), nt.Linear(1200, 2, bias=False))
    text = model.summary()
    assert text.splitlines() == [
        "layer          output  parameters",
        "---------------------------------",
        "Sequential          2",
        "0: Linear       1,200       6,000",
        "1: Sequential       ?",
        "  0: ReLU       1,200",
        "  1: Own            ?",
        "2: Linear           2       2,400",
        "---------------------------------",
        "total                       8,400  (32.81 KiB)",
    ]
    assert (text.parameters, text.nbytes) == (8400, 33600)
    assert repr(text) == str(text)


def test_summary_counts_shared_parameters_once():
    linear = nt.Linear(3, 3)
    assert nt.Sequential(linear, linear).summary().parameters == 12


def test_summary_of_one_layer():
    assert nt.ReLU().summary().parameters == 0
    assert nt.Linear(3, 2, dtype="float64").summary().nbytes == 64


class Cells(HTMLParser):
    """Reads the rows of a table, and checks that every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.open = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def test_notebook_shows_a_model_as_a_table():
    hostile = type("<b>&Own", (Own,), {})()
    model = nt.Sequential(nt.Linear(4, 1200), nt.Residual(nt.ReLU()), hostile)
    assert Cells(model._repr_html_()).rows == [
        ["layer", "output shape", "parameters"],
        ["Sequential", "?", ""],
        ["0: Linear", "(..., 1200)", "6,000"],
        ["1: Residual", "(..., 1200)", ""],
        ["  0: ReLU", "(..., 1200)", ""],
        ["2: <b>&Own", "?", ""],
        ["total", "23.44 KiB", "6,000"],
    ]


def test_notebook_shows_any_layer_in_the_colours_of_the_page():
    for layer in (nt.Linear(3, 2), nt.Sequential(), nt.TabularEmbedding(2, {0: (3, 2)})):
        text = layer._repr_html_()
        assert Cells(text).rows[-1][2] == f"{layer.summary().parameters:,}"
        assert "color" not in text
        assert "background" not in text


@pytest.fixture
def pyplot():
    mpl.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def test_history_plot_draws_losses_over_epochs(pyplot):
    history = fit(make_trainer(), [], metrics=["r2"])
    axes = history.plot()
    assert [line.get_label() for line in axes.get_lines()] == ["loss", "validation loss"]
    for line, column in zip(axes.get_lines(), (history.loss, history.validation_loss), strict=True):
        assert list(line.get_xdata()) == list(range(1, 7))
        assert list(line.get_ydata()) == column
    assert axes.get_xlabel() == "epoch"


def test_history_plot_draws_columns_where_it_is_told(pyplot):
    history = fit(make_trainer(), [], metrics=["r2"])
    axes = pyplot.subplots()[1]
    assert history.plot("validation_r2", ax=axes) is axes
    assert [list(line.get_ydata()) for line in axes.get_lines()] == [history.metrics["r2"]]
    with pytest.raises(ValueError, match=r"expected one of .*'validation_r2'.*got 'r2'"):
        history.plot("r2")


def test_history_plot_without_matplotlib_names_the_cure(monkeypatch):
    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    real_import = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'ne_torch\[plot\]'"):
        nt.History().plot()
