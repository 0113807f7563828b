# SPDX-License-Identifier: BSD-2-Clause
"""What the paper says of its records: macros, tables and figures. Nothing is computed; every number comes from report.json."""
