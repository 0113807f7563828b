# SPDX-License-Identifier: BSD-2-Clause
"""Figures as files. The same figure gives the same bytes: no dates, no versions, no random names.

They are drawn in memory: of what goes wrong while a file is written, matplotlib has errors of its own."""

import io

DOTS_PER_INCH = 200


def _svg(figure, file, title, alt):
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    told = {"Title": title, "Description": alt, "Date": None, "Creator": None}
    FigureCanvasSVG(figure).print_svg(file, metadata=told)


def _pdf(figure, file, title, alt):
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    told = {"Title": title, "Subject": alt, "CreationDate": None, "Creator": None, "Producer": None}
    FigureCanvasPdf(figure).print_pdf(file, metadata=told)


def _png(figure, file, title, alt):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(DOTS_PER_INCH)
    FigureCanvasAgg(figure).print_png(file, metadata={"Title": title, "Description": alt, "Software": None})


def _written(draw):
    def write(figure, path, title, alt):
        file = io.BytesIO()
        draw(figure, file, title, alt)
        with open(path, "wb") as target:
            target.write(file.getvalue())

    return write


# In the order in which they are written: the last one changes the resolution.
WRITERS = {"svg": _written(_svg), "pdf": _written(_pdf), "png": _written(_png)}
