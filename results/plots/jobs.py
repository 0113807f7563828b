# SPDX-License-Identifier: BSD-2-Clause
"""Which figures there are, and drawing them: several at a time, each into a file of its own."""

import dataclasses
import gc
import multiprocessing
import os
import re

from concurrent import futures
from concurrent.futures import process

from . import output, style
from .fault import Fault
from .sheet import Sheet


@dataclasses.dataclass(frozen=True)
class Job:
    kind: object
    subject: object
    id: str


@dataclasses.dataclass(frozen=True)
class Setting:
    """What all figures of a call have in common."""

    look: style.Look
    fonts: tuple
    rows: dict  # of the palette, by datapath
    formats: tuple


def _slug(*parts):
    words = (re.sub(r"[^A-Za-z0-9._]+", "-", part).strip("-.") for part in parts)
    return "-".join(word for word in words if word)


def found(report, kinds):
    """All figures, in the order of their names. A name is made of ids, and is made different where two are alike."""
    raw = [(kind, subject) for kind in kinds.values() for subject in kind.subjects(report)]
    raw.sort(key=lambda pair: (pair[0].name, pair[1].what.id, pair[1].part))
    jobs, taken = [], set()
    for kind, subject in raw:
        slug = _slug(kind.name, subject.what.id, subject.part)[:180]
        name, number = slug, 1
        while name.lower() in taken:
            number += 1
            name = f"{slug}-{number}"
        taken.add(name.lower())
        jobs.append(Job(kind, subject, name))
    return sorted(jobs, key=lambda job: job.id)


def draw(job, setting, path_of):
    """Draws one figure into a file per format; returns its alternative text."""
    strokes = {one.label: style.stroke(setting.rows, one) for one in job.subject.contestants}
    sheet = Sheet(setting.look, setting.fonts, job.kind.width)
    try:
        alt = job.kind.draw(sheet, job.subject, strokes)
        for name, write in output.WRITERS.items():
            if name in setting.formats:
                write(sheet.figure, path_of(job, name), job.subject.title, alt)
    except OSError as error:
        raise Fault(f"cannot write {error.filename or 'a figure'}: {error.strerror}") from None
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        told = str(error).split("\n")[0]
        raise Fault(f"cannot draw {job.id}: {type(error).__name__}: {told}") from error
    return alt


_shared = None


def _draw_shared(index):
    jobs, setting, path_of = _shared
    return draw(jobs[index], setting, path_of)


def draw_all(jobs, setting, path_of):
    """The alternative text of each figure, in their order. Processes are forked, so that none reads or imports anything again."""
    global _shared
    workers = min(len(os.sched_getaffinity(0)), len(jobs))
    if workers < 2:
        return [draw(job, setting, path_of) for job in jobs]
    _shared = jobs, setting, path_of
    gc.collect()
    gc.freeze()  # pages stay shared
    # Not multiprocessing.Pool, which waits for ever where a process was killed.
    with futures.ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
        try:
            return list(pool.map(_draw_shared, range(len(jobs)), chunksize=4))
        except process.BrokenProcessPool:
            raise Fault("a process that was drawing was killed; is there too little memory?") from None
