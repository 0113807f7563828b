# SPDX-License-Identifier: BSD-2-Clause
"""Plots of a report. They compute nothing: every number comes from report.json; here it is scaled and drawn."""
