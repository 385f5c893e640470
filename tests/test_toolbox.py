"""docs/toolbox.md beside both packages: every name of torch has an answer, every yes has a class."""

import re
from pathlib import Path

import ne_torch as nt
import pytest
import torch
from torch.nn.modules import (
    activation,
    batchnorm,
    container,
    dropout,
    flatten,
    linear,
    loss,
    normalization,
    sparse,
)

PAGE = (Path(__file__).parents[1] / "docs" / "toolbox.md").read_text()
# images, sequences, attention, base classes, what is made lazily and what torch has deprecated
LEFT_OUT = re.compile(
    r".*[123]d$|Lazy.*|MultiheadAttention|CTCLoss|Container|Parameter(List|Dict)|FeatureAlphaDropout"
    r"|LocalResponseNorm|GroupNorm|Optimizer|LRScheduler|dirac_"
)
ROOMS = {
    "Activations": ({*activation.__all__, "Identity"}, nt),
    "Layers and containers": (
        {
            *(
                name
                for m in (batchnorm, container, dropout, flatten, normalization, sparse)
                for name in m.__all__
            ),
            *(set(linear.__all__) - {"Identity"}),
            "BatchNorm1d",
        },
        nt,
    ),
    "Losses": ({*loss.__all__}, nt),
    "Optimizers": ({name for name in dir(torch.optim) if isinstance(getattr(torch.optim, name), type)}, nt),
    "Schedules": ({*torch.optim.lr_scheduler.__all__}, nt.lr_scheduler),
    "Initialisation": (
        {name for name in dir(torch.nn.init) if re.fullmatch(r"[a-z]\w*_", name)} | {"calculate_gain"},
        nt.init,
    ),
    "Gradients": ({"clip_grad_norm_", "clip_grad_value_", "get_total_norm"}, nt),
}


def answers(title):
    """{name: whether it is here} of a section of the page."""
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| (yes|no) \|", section, re.MULTILINE)
    assert len(dict(rows)) == len(rows)
    return {name: answer == "yes" for name, answer in rows}


@pytest.mark.parametrize("title", ROOMS)
def test_toolbox_answers_every_name_of_torch(title):
    names, _ = ROOMS[title]
    assert {n for n in names if not LEFT_OUT.fullmatch(n) or n == "BatchNorm1d"} <= answers(title).keys()


@pytest.mark.parametrize("title", ROOMS)
def test_toolbox_tells_the_truth(title):
    _, room = ROOMS[title]
    told = answers(title)
    assert told == {name: hasattr(room, name) for name in told}


def test_toolbox_has_no_other_tables():
    assert set(re.findall(r"^## (.+)$", PAGE, re.MULTILINE)) == set(ROOMS)
