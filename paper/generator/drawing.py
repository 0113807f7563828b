# SPDX-License-Identifier: BSD-2-Clause
"""The paper's plots, drawn by results/plots from the same report."""

from plots import fault as plots_fault
from plots import jobs, kinds, style
from plots import model as plots_model

from .fault import Fault, Lacking


def _wanted(plots, experiments, sweeps):
    """(kind, id of an experiment or sweep) of each plot that can be drawn, by its name."""
    for name, plot in plots.items():
        subject = experiments.get(plot["of"]) or sweeps.get(plot["of"])
        if subject is not None:
            yield name, plot["kind"], subject["id"]


def draw(report, plots, experiments, sweeps, folder):
    """Draws into `folder`; returns what each plot shows in words, by the plot's name."""
    try:
        shown = plots_model.read(str(report))
        every = kinds.load()
        look = style.LOOKS["paper"]
        setting = jobs.Setting(look, style.apply(look), style.strokes_of(shown.names), ("pdf",))
        found = {}
        for job in jobs.found(shown, {plot["kind"]: every[plot["kind"]] for plot in plots.values()}):
            found.setdefault((job.kind.name, job.subject.what.id), job)
        drawn = {}
        for name, kind, subject in _wanted(plots, experiments, sweeps):
            if job := found.get((kind, subject)):
                path = folder / f"{name}.pdf"
                jobs.draw(job, setting, lambda _job, _format, path=path: str(path))
                drawn[name] = job.subject.title
        return drawn
    except plots_fault.Lacking as lacking:
        raise Lacking(str(lacking).replace("packages report", "packages paper")) from None
    except plots_fault.Fault as failed:
        raise Fault(str(failed)) from None
