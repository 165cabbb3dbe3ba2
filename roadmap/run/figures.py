"""How experiments' figures look, and how they are drawn: deterministic SVG on any background.

Lines of text, axes and ticks are in `roadmap.model.INK`, which pages swap for the colour of their
text. Series have colours that stand out from both white and near-black paper. Runs in the child
process, after the experiment has imported matplotlib itself.
"""

from __future__ import annotations

import io
from typing import Any

from roadmap.model import INK

# Contrast of at least 3:1 on #ffffff and on #111111 (WCAG 2.2, 1.4.11), and told apart by readers
# who do not see all colours: neighbours differ in lightness or along blue and yellow.
PALETTE = (
    "#1f77c9",  # blue
    "#cf5c14",  # orange
    "#2a8c5a",  # green
    "#b0529c",  # purple
    "#a37a00",  # ochre
    "#d13b3b",  # red
    "#6f7a86",  # grey
    "#00899b",  # teal
)


def style() -> dict[str, Any]:
    """matplotlib's rcParams for the book."""
    inked = (
        "text.color",
        "axes.edgecolor",
        "axes.labelcolor",
        "xtick.color",
        "ytick.color",
        "grid.color",
        "hatch.color",
        "lines.color",
        "patch.edgecolor",
        "boxplot.boxprops.color",
        "boxplot.capprops.color",
        "boxplot.flierprops.color",
        "boxplot.flierprops.markeredgecolor",
        "boxplot.whiskerprops.color",
    )
    return dict.fromkeys(inked, INK) | {
        "axes.axisbelow": True,
        "axes.facecolor": "none",
        "axes.grid": True,
        "axes.prop_cycle": f"cycler('color', {list(PALETTE)})",
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.constrained_layout.use": True,
        "figure.facecolor": "none",
        "figure.figsize": (6.4, 3.6),
        "figure.max_open_warning": 0,
        "font.size": 10.0,
        "grid.alpha": 0.15,
        "legend.framealpha": 0.0,
        "legend.edgecolor": "none",
        "savefig.facecolor": "none",
        "savefig.transparent": True,
        "svg.fonttype": "path",
        "svg.hashsalt": "llm-roadmap",
    }


def open_figures() -> list[str]:
    """Every open figure as an SVG document, in order of creation; closes them."""
    from matplotlib import pyplot

    drawn = []
    try:
        for number in pyplot.get_fignums():
            figure, sink = pyplot.figure(number), io.StringIO()
            for axes in figure.axes:
                if axes.images:  # lines over the pixels would look like data
                    axes.grid(visible=False)
            figure.savefig(sink, format="svg", metadata={"Date": None, "Creator": None})
            drawn.append(sink.getvalue())
    finally:
        pyplot.close("all")
    return drawn
