# SPDX-License-Identifier: BSD-2-Clause
"""What ends the program with one line and an exit code: 1 failed, 2 wrong use, 3 this machine lacks something."""


class Fault(Exception):
    code = 1


class WrongUse(Fault):
    code = 2


class Lacking(Fault):
    code = 3
