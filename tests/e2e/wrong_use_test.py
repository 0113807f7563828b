#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Wrong use of the command line ends with exit code 2 and one line that says what would do.

Usage: wrong_use_test.py HARNESS SOURCE [unittest arguments]
"""
import json

from command_line import Case, main


class WrongUse(Case):
    def test_nonsense_datapath_lists_the_names(self):
        self.refused(2, "run", "--datapath=nonsense", says=["no datapath is called 'nonsense'", "sendfile", "splice"])
        self.refused(2, "run", "--datapath=sendfil", says=["no datapath is called 'sendfil'", "did you mean sendfile?"])

    def test_misspelt_command(self):
        self.refused(2, "comapre", says=["there is no command 'comapre'", "did you mean compare?"])

    def test_no_command(self):
        self.refused(2, says=["no command was given", "compare", "run", "--help"])

    def test_misspelt_option(self):
        self.refused(2, "run", "--datpath=sendfile", says=["run has no option '--datpath'", "did you mean --datapath?"])

    def test_unknown_option(self):
        self.refused(2, "run", "--zzzzzzzzz", says=["--zzzzzzzzz", "harness run --help"])

    def test_a_link_that_the_datapath_lacks(self):
        self.refused(2, "run", "--datapath=sendfile", "--link=vhost", says=["does not run over vhost", "--link=veth"])

    def test_options_that_say_nothing_to_the_link(self):
        self.refused(2, "run", "--pci=0000:01:00.0,0000:02:00.0", says=["--pci says nothing to the link auto"])
        self.refused(2, "run", "--link=loopback", "--napi=threaded", says=["--napi says nothing to the link loopback"])

    def test_an_option_of_a_datapath_is_set_once(self):
        self.refused(2, "run", "--mmap-window=1MiB", "--set", "mmap.window=2MiB", says=["mmap.window is set twice"])

    def test_carriers_do_not_mix(self):
        self.refused(2, "run", "--datapath=udp+splice", says=["udp and splice do not share a carrier"])

    def test_stray_argument(self):
        self.refused(2, "run", "sendfile", says=["run does not know what to do with 'sendfile'"])

    def test_bad_sizes(self):
        for size in ("1XiB", "-1", "", "1e99GiB", "many"):
            with self.subTest(size=size):
                self.refused(2, "run", f"--size={size}", says=["--size"])

    def test_mtu_out_of_range(self):
        for mtu in ("67", "65536", "big"):
            with self.subTest(mtu=mtu):
                self.refused(2, "run", f"--mtu={mtu}", says=["--mtu"])

    def test_choice(self):
        self.refused(2, "run", "--sink=nowhere", says=["--sink", "'nowhere'", "discard, file, tmpfs"])

    def test_cpu_that_is_not_there(self):
        self.refused(2, "run", "--client-cpu=4095", says=["--client-cpu", "4095", "choose one of"])

    def test_cpus(self):
        self.refused(2, "run", "--cpus=close", says=["--cpus=close names no two CPUs", "near, far, siblings, or N,M"])
        self.refused(2, "run", "--cpus=0,4095", says=["no CPU 4095", "choose two of"])
        self.refused(2, "run", "--cpus=near", "--server-cpu=0", says=["--cpus says it all", "--server-cpu"])
        self.refused(2, "run", "--placement=here", says=["'here'", "same, report, any"])
        self.refused(2, "doctor", "--cpus=close", says=["--cpus=close"])

    def test_nothing_could_be_verified(self):
        self.refused(2, "run", "--sender=sendfile", "--receiver=splice", "--sink=discard",
                     says=["splice cannot discard", "nothing could be verified", "--sink=tmpfs"])

    def test_datapath_that_does_not_receive(self):
        self.refused(2, "run", "--sender=read_write", "--receiver=sendfile", says=["sendfile does not receive"])

    def test_parameter_of_another_workload(self):
        self.refused(2, "run", "--runs=3", "--budget=5s", says=["--runs says it all", "leave out", "--budget"])
        self.refused(2, "clean", "--older=24h", says=["--older says nothing without --files"])
        self.refused(2, "run", "--workload=rr", "--size=1GiB", says=["--size says nothing to the workload rr", "--request"])
        self.refused(2, "run", "--workload=rr", "--sink=file", says=["--sink says nothing to the workload rr"])
        self.refused(2, "run", "--workload=idle", "--cache=cold", says=["--cache says nothing to the workload idle"])
        self.refused(2, "run", "--workload=metadata", "--digest=sha256", says=["--digest says nothing to the workload metadata"])
        self.refused(2, "run", "--workload=rand-read", "--huge", says=["--huge says nothing to the workload rand-read"])

    def test_parameters_that_make_no_run(self):
        self.refused(2, "run", "--workload=rr", "--rate=0.5", says=["--rate=0.5 makes no request in --seconds=1"])
        self.refused(2, "run", "--workload=rr", "--request=300KiB", says=["--request: 300KiB is out of bounds"])
        self.refused(2, "run", "--workload=rand-read", "--depth=0", says=["--depth: 0 is out of bounds"])

    def test_a_datapath_named_twice(self):
        self.refused(2, "compare", "--datapaths=sendfile,mmap,sendfile", says=["sendfile is named twice", "leave one"])
        self.refused(2, "compare", "--datapaths=splice,splice+read_write", says=["splice is named twice"])

    def test_like_what_cannot_be(self):
        good = {"schema": "waggle-record/1",
                "spec": {"workload": "rr", "parameters": {"clients": 1, "seed": 1, "request": 64}, "channel": {},
                         "cpus": "auto", "work": "/var/tmp", "pairs": [{"sender": "sendfile", "receiver": "splice"}]}}
        for change, says in (
                ({"schema": "waggle-record/99"}, "waggle-record/99"),
                ({"schema": "something"}, "not a record"),
                ({"pairs": [{"sender": "pigeon", "receiver": "pigeon"}]}, "no datapath is called 'pigeon'"),
                ({"pairs": 2 * good["spec"]["pairs"]}, "the record compares 2 pairs"),
                ({"workload": "bulk"}, "'bulk' is none of its values"),
                ({"parameters": {"size": 1}}, "--size says nothing to the workload rr"),
                ({"parameters": {"request": "much"}}, "request: 'much' is not a size"),
                ({"feathers": 1}, "there is no option 'feathers'"),
                ({"queues": 0}, "queues: 0 is out of bounds; give 1 to 64"),
                ({"channel": {"wait": "nap"}}, "wait: 'nap' is none of its values"),
                ({"channel": {"settings": {"splice.pipe": "much"}}}, "splice.pipe=much makes no sense"),
                ({"file": "/nonexistent/film", "workload": "download", "parameters": {}}, "/nonexistent/film")):
            with self.subTest(change=change):
                record = {**good, "schema": change.pop("schema", good["schema"]), "spec": {**good["spec"], **change}}
                path = self.directory / "record.json"
                path.write_text(json.dumps(record))
                code = 1 if "film" in says or "not a record" in says else 2
                self.refused(code, "run", f"--like={path}", says=[says])
        self.refused(1, "run", "--like=/nonexistent/record", says=["/nonexistent/record", "No such file"])

    def test_unknown_workload(self):
        self.refused(2, "run", "--workload=bulk", says=["--workload", "small-files"])

    def test_contradicting_repetitions(self):
        self.refused(2, "run", "--least-runs=5", "--most-runs=3", says=["--least-runs <= --most-runs"])
        self.refused(2, "run", "--runs=5", "--most-runs=3", says=["--runs"])

    def test_an_empty_value(self):
        for command, option in (("run", "--datapath="), ("serve", "--root="), ("clean", "--work=")):
            self.refused(2, command, option, "--json", says=[f"{option} has no value"])
        self.refused(2, "run", "--help=1", says=["--help takes no value"])
        for seed in "-1", "99999999999999999999", "4294967296":
            self.refused(2, "run", f"--seed={seed}", says=["--seed"])

    def test_setting_of_no_datapath(self):
        self.refused(2, "run", "--set=read_write.bufer=1MiB", says=["read_write has no option 'bufer'"])
        self.refused(2, "run", "--set=buffer", says=["NAME.OPTION=VALUE"])


if __name__ == "__main__":
    main()
