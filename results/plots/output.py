# SPDX-License-Identifier: BSD-2-Clause
"""Figures as files. The same figure gives the same bytes: no dates, no versions, no random names."""

DOTS_PER_INCH = 200


def _svg(figure, path, title, alt):
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    told = {"Title": title, "Description": alt, "Date": None, "Creator": None}
    FigureCanvasSVG(figure).print_svg(path, metadata=told)


def _pdf(figure, path, title, alt):
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    told = {"Title": title, "Subject": alt, "CreationDate": None, "Creator": None, "Producer": None}
    FigureCanvasPdf(figure).print_pdf(path, metadata=told)


def _png(figure, path, title, alt):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(DOTS_PER_INCH)
    FigureCanvasAgg(figure).print_png(path, metadata={"Title": title, "Description": alt, "Software": None})


# In the order in which they are written: the last one changes the resolution.
WRITERS = {"svg": _svg, "pdf": _pdf, "png": _png}
