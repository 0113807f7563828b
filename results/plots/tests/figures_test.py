# SPDX-License-Identifier: BSD-2-Clause
"""What stands in figures is what stands in the model."""

import copy
import unittest
import xml.etree.ElementTree as tree
import io

import synthetic
from plots import jobs, kinds, model, output, sheet, style

LOOK = style.LOOKS["paper"]
KINDS = kinds.load()


def drawn(raw, kind, number=0, look=LOOK):
    """(sheet, alternative text, job) of one figure."""
    report = model.Report(raw)
    job = jobs.found(report, {kind: KINDS[kind]})[number]
    rows = style.strokes_of(report.names)
    made = sheet.Sheet(look, style.apply(look), job.kind.width)
    alt = job.kind.draw(made, job.subject, {one.label: style.stroke(rows, one) for one in job.subject.contestants})
    return made, alt, job


def texts(figure):
    from matplotlib.text import Text

    return [found.get_text() for found in figure.findobj(Text) if found.get_text()]


def one_experiment(labels=("read_write", "sendfile", "udp"), **more):
    chance = synthetic.random.Random(3)
    told = synthetic.experiment(chance, 1, "veth", labels, samples=300, **more)
    return {"schema": "waggle-report/1", "datapaths": list(synthetic.NAMES), "experiments": [told],
            "records": [{"id": "r1", "noisy": True}]}  # fmt: skip


class Content(unittest.TestCase):
    def test_goodput_shows_medians_intervals_and_every_run(self):
        raw = one_experiment()
        made, alt, _ = drawn(raw, "goodput")
        axes = made.figure.axes[0]
        for row, told in enumerate(raw["experiments"][0]["contestants"]):
            median = next(figure for figure in told["figures"] if figure["name"] == "goodput")
            self.assertEqual(axes.patches[row].get_width(), median["value"])
            lines = [list(line.get_xdata()) for line in axes.lines]
            self.assertIn([run["value"] for run in told["runs"]], lines)
            self.assertIn([median["low"], median["high"]], lines)
            self.assertIn(told["label"], alt)
        self.assertEqual(axes.get_xlim()[0], 0)
        self.assertIn("Gbit/s", axes.figure.texts[0].get_text())

    def test_bars_start_at_zero_and_stacks_add_up(self):
        raw = one_experiment()
        for kind, name in (("cpu", None), ("copies", "copies")):
            made, _, job = drawn(raw, kind)
            axes = made.figure.axes[0]
            self.assertEqual(axes.get_xlim()[0], 0)
            for row, one in enumerate(job.subject.contestants):
                bars = [bar for bar in axes.patches if round(bar.get_y() + bar.get_height() / 2) == row]
                self.assertEqual(min(bar.get_x() for bar in bars), 0)
                whole = one.figure(name).value if name else sum(
                    one.figure(f"cpu.{part}_per_gib").value for part in ("user", "system", "softirq"))  # fmt: skip
                self.assertAlmostEqual(max(bar.get_x() + bar.get_width() for bar in bars), whole)

    def test_link_machine_and_runs_stand_under_every_figure(self):
        report = synthetic.small()
        for kind in KINDS:
            made, alt, _ = drawn(report, kind)
            words = " ".join(texts(made.figure)).replace("\n", " ")
            for part in ("MTU 1500", "2-core virtual machine", "n = 12"):
                self.assertIn(part, words, kind)
                self.assertIn(part, alt, kind)

    def test_who_is_left_out_is_said(self):
        raw = one_experiment()
        raw["experiments"][0]["contestants"][1]["status"] = "failed"
        raw["experiments"][0]["contestants"][2]["figures"] = [
            figure for figure in raw["experiments"][0]["contestants"][2]["figures"] if figure["name"] != "copies"
        ]
        made, _, job = drawn(raw, "copies")
        self.assertEqual([one.label for one in job.subject.contestants], ["read_write"])
        words = " ".join(texts(made.figure))
        for part in ("Failed: sendfile.", "Cannot run here: dpdk.", "Not measured: udp.", "noisy machine"):
            self.assertIn(part, words)

    def test_grades_are_hatched_and_explained(self):
        made, alt, _ = drawn(one_experiment(("read_write", "dpdk")), "copies")
        hatches = {bar.get_hatch() for bar in made.figure.axes[0].patches}
        self.assertLessEqual({style.GRADE_HATCHES["traced"], style.GRADE_HATCHES["modelled"]}, hatches)
        for grade in ("traced", "modelled"):
            self.assertIn(grade, texts(made.figure))
            self.assertIn(grade, alt)

    def test_a_percentile_ends_where_samples_do(self):
        from plots.kinds import latency

        xs, ys = latency.tail([(100, 900), (200, 95), (5000, 5)])
        self.assertEqual(ys, [100, 200, 200])
        self.assertEqual(xs[-1], 100)  # 99 %: of 1,000 samples 10 lie beyond
        self.assertEqual(latency.steps([(100, 3), (200, 1)]), ([100, 100, 200], [0.0, 0.75, 1.0]))

    def test_no_mode_switches_at_all_have_a_place_of_their_own(self):
        made, _, _ = drawn(one_experiment(("sendfile", "dpdk")), "switches")
        axes = made.figure.axes[0]
        points = sorted(line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata()) == 1)
        zero = next(found for found in axes.texts if found.get_text() == "0")
        self.assertEqual((axes.get_xscale(), zero.get_position()[0]), ("log", points[0]))

    def test_sweeps_have_every_point_and_never_invent_one(self):
        raw = synthetic.report(singles=1, points=4, samples=100)
        ids = [point["experiment"] for point in next(s for s in raw["sweeps"] if s["x"]["name"] == "loss")["points"]]
        gone = next(one for one in raw["experiments"] if one["id"] == ids[1])
        gone["contestants"] = [one for one in gone["contestants"] if one["label"] != "udp"]
        made, _, job = drawn(raw, "loss")
        lines = {len(line.get_xdata()) for line in made.figure.axes[0].lines if line.get_marker() in tuple("o^XP*")}
        self.assertEqual(lines, {3, 4})
        self.assertEqual([one.label for one in job.subject.contestants], ["read_write", "sendfile", "udp", "afxdp"])

    def test_texts_of_any_kind(self):
        raw = one_experiment()
        strange = "a$b_{c}^d$ <&> \\frac \x1b[31m \u0001 名前 \ud83d " + "long" * 60
        raw["experiments"][0]["contestants"][0]["label"] = strange
        raw["experiments"][0].update(title=strange, caption=strange)
        for kind in ("goodput", "copies", "latency-cdf", "timeline"):
            made, alt, job = drawn(raw, kind)
            for write in (output._svg, output._pdf):
                data = io.BytesIO()
                write(made.figure, data, job.subject.title, alt)
                self.assertTrue(data.getvalue())
                if write is output._svg:
                    tree.fromstring(data.getvalue())


class Palette(unittest.TestCase):
    def test_every_datapath_has_colour_and_marker_of_its_own(self):
        table = style.palette()["datapaths"]
        self.assertLessEqual(set(synthetic.NAMES), set(table))
        for part in ("colour", "marker"):
            self.assertEqual(len({row[part] for row in table.values()}), len(table), part)

    def test_all_rows_differ(self):
        rows = [*style.palette()["datapaths"].values(), *style.palette()["others"]]
        self.assertEqual(len({tuple(sorted(row.items())) for row in rows}), len(rows))

    def test_a_name_looks_the_same_in_every_report(self):
        few, many = style.strokes_of(["udp"]), style.strokes_of([*synthetic.NAMES, "nginx", "toy"])
        self.assertEqual(few["udp"], many["udp"])
        others = style.palette()["others"]
        self.assertEqual((many["nginx"], many["toy"]), (others[0], others[1]))

    def test_pairs_are_told_from_their_senders(self):
        report = model.Report(one_experiment(("sendfile", "sendfile+splice", "sendfile+mmap", "nginx", "nginx+splice")))
        rows = style.strokes_of(report.names)
        strokes = [style.stroke(rows, one) for one in report.experiments["r1/veth"].contestants]
        self.assertEqual(len(set(strokes)), len(strokes))

    def test_rows_come_in_the_order_of_datapaths(self):
        raw = one_experiment(("udp", "sendfile", "read_write", "sendfile+splice"))
        told = [one.label for one in model.Report(raw).experiments["r1/veth"].contestants]
        self.assertEqual(told, ["read_write", "sendfile", "sendfile+splice", "udp"])
        other = copy.deepcopy(raw)
        other["experiments"][0]["contestants"].reverse()
        self.assertEqual([one.label for one in model.Report(other).experiments["r1/veth"].contestants], told)
