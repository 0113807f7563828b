#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a packet datapath lacks on a machine ends the program with exit code 3 and one line: what, why, what to do. Nothing
is left behind.

usage: refusals_test.py HARNESS [unittest arguments]
"""
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from hosts import DEADLINE, Host, hugepages, join_hosts, named_namespaces, require

HARNESS = os.path.abspath(sys.argv[1])
if os.geteuid() != 0:
    print("skipped: only root may make network namespaces; run it with sudo")
    sys.exit(1 if os.environ.get("WAGGLE_REQUIRE_ALL") == "1" else 77)

LISTED = json.loads(subprocess.run([HARNESS, "list", "--json"], capture_output=True, text=True, check=True).stdout)
BUILT = [d["name"] for d in LISTED["datapaths"] if d["available"]]
NUMBERS = itertools.count()
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
ROOT_WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"]


def has_program(host):
    return "xdp" in host.call("ip", "-details", "link", "show")


class Refusals(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(dir="/var/tmp", prefix="refusals-")
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        for directory in (self.place, self.place / "work"):
            directory.mkdir(exist_ok=True)
            directory.chmod(0o777)
        self.pages = hugepages()
        self.named = named_namespaces()

    def tearDown(self):
        self.assertEqual(hugepages(), self.pages)
        self.assertEqual(list((self.place / "work").iterdir()), [])
        self.assertEqual([d for d in os.listdir("/sys/class/net") if d.startswith("waggle")], [])
        self.assertEqual(named_namespaces(), self.named)

    def refused(self, command, *words, code=3):
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertRegex(done.stderr, r"\Aharness: [^\n]+; [^\n]+\n\Z")
        for word in words:
            self.assertIn(word, done.stderr)

    def run_command(self, datapath, *arguments):
        return [HARNESS, "run", f"--datapath={datapath}", "--size=1MiB", "--runs=1", "--warmups=0", "--probed=0",
                f"--work={self.place}/work", f"--output={self.place}/record-{next(NUMBERS)}.json", *arguments]

    def serve_command(self, datapath, *arguments, program=HARNESS, address="10.77.0.1"):
        return [program, "serve", f"--root={self.place}", f"--listen={address}:0", "--anybody", "--json",
                f"--datapath={datapath}", *arguments]

    def host(self):
        """A host with an interface, joined to another one."""
        host = Host(self)
        join_hosts(host, Host(self))
        return host

    def program_of_nobody(self):
        return shutil.copy(HARNESS, self.place)  # the build may be where others cannot enter

    def test_no_hugepages_and_no_right_to_reserve_them(self):
        require("dpdk" in BUILT, "dpdk does not run here")
        require(hugepages("Free") < 32, "there are hugepages enough for anybody")
        host = self.host()
        program = self.program_of_nobody()
        for link in (("--link=vhost", f"--socket={self.place}/socket"), ("--link=veth",)):
            self.refused(host.command(*NOBODY, *self.serve_command("dpdk", *link, program=program)),
                         "hugepages", "only root may reserve more", "sudo tee /sys/kernel/mm/hugepages/")
        read_only = "mount --bind /sys/kernel/mm /sys/kernel/mm && mount -o remount,bind,ro /sys/kernel/mm && exec \"$@\""
        self.refused(["unshare", "--mount", "--propagation", "private", "sh", "-c", read_only, "sh",
                      *self.run_command("dpdk")],
                     "dpdk: ", "hugepages", "the system lets nobody here reserve more", "tee /sys/kernel/mm/hugepages/")

    def test_a_vhost_socket_is_for_others_whatever_its_address(self):
        require("dpdk" in BUILT, "dpdk does not run here")
        self.refused([HARNESS, "serve", f"--root={self.place}", "--json", "--datapath=dpdk", "--link=vhost",
                      f"--socket={self.place}/socket", "--listen=127.0.0.1:0"],
                     "other machines could read and change files without a token", "--token-file", "--anybody", code=2)

    def test_no_right_to_load_bpf_programs(self):
        require("afxdp" in BUILT, "afxdp does not run here")
        host = self.host()
        program = self.program_of_nobody()
        rights = ("CAP_BPF", "CAP_NET_ADMIN", "CAP_NET_RAW")
        self.refused(host.command(*NOBODY, *self.serve_command("afxdp", "--link=veth", program=program)),
                     "cannot open an AF_XDP socket", "sudo", *rights)
        self.refused(host.command(*ROOT_WITHOUT_RIGHTS, *self.serve_command("afxdp", "--link=veth")),
                     "cannot open an AF_XDP socket", *rights)
        some = ["setpriv", "--bounding-set=-bpf,-sys_admin", "--inh-caps=-bpf,-sys_admin", "--"]
        self.refused(host.command(*some, *self.serve_command("afxdp", "--link=veth")),
                     "cannot load the XDP program of afxdp: Operation not permitted", *rights)
        self.assertFalse(has_program(host))

    def test_an_interface_without_native_xdp(self):
        require("afxdp" in BUILT, "afxdp does not run here")
        host = self.host()
        self.refused(host.command(*self.serve_command("afxdp", "--link=veth", "--afxdp-mode=native", address="127.0.0.1")),
                     "lo does not take an XDP program in native mode", "set afxdp.mode=generic")
        self.assertFalse(has_program(host))

    def test_an_mtu_too_small(self):
        for datapath in ("udp", "afxdp", "dpdk"):
            with self.subTest(datapath=datapath):
                require(datapath in BUILT, f"{datapath} does not run here")
                self.refused(self.run_command(datapath, "--link=veth", "--mtu=1000"), f"{datapath}: ", "MTU", "too small",
                             "1228")

    def test_another_program_is_attached_already(self):
        require("afxdp" in BUILT, "afxdp does not run here")
        host = self.host()
        first = host.start(*self.serve_command("afxdp", "--link=veth"))
        self.addCleanup(first.communicate)
        self.addCleanup(first.terminate)
        self.assertTrue(first.stdout.readline())
        seconds = [("afxdp", "--afxdp-mode=native"), ("afxdp", "--afxdp-mode=generic")]
        seconds += [("dpdk", "--dpdk-driver=af_xdp")] if "dpdk" in BUILT else []
        for datapath, option in seconds:
            with self.subTest(datapath=datapath, option=option):
                self.refused(host.command(*self.serve_command(datapath, "--link=veth", option)),
                             "another XDP program is attached to waggle0 already", "`ip link set dev waggle0 xdp off`")
        self.assertTrue(has_program(host), "the first one's program is gone")
        self.assertIsNone(first.poll())
        first.terminate()
        first.wait(DEADLINE)
        self.assertEqual(first.returncode, 0)
        self.assertFalse(has_program(host))

    def test_an_option_without_effect(self):
        for datapath, options, word in (
            ("afxdp", ("--send-buffer=1MiB",), "--send-buffer says nothing to afxdp over veth"),
            ("dpdk", ("--receive-buffer=1MiB",), "--receive-buffer says nothing to dpdk over vhost"),
            ("dpdk", ("--link=veth", "--send-buffer=1MiB"), "--send-buffer says nothing to dpdk over veth"),
            ("dpdk", ("--link=veth", "--dpdk-ring=packed"), "--dpdk-ring says nothing to dpdk over veth"),
            ("dpdk", ("--dpdk-driver=af_xdp",), "--dpdk-driver says nothing to dpdk over vhost"),
            ("sendfile", ("--link=nic", "--pci=0000:01:00.0,0000:02:00.0"), "--pci says nothing to sendfile over nic"),
            ("dpdk", ("--queues=2",), "--queues says nothing to the link vhost"),
            ("dpdk", ("--napi=threaded",), "--napi says nothing to the link vhost"),
            ("dpdk", ("--offloads=off",), "--offloads says nothing to the link vhost"),
            ("udp", ("--link=loopback", "--queues=2"), "--queues says nothing to the link loopback"),
            ("sendfile", ("--afxdp-mode=generic",), "afxdp.mode=generic says nothing here: afxdp is not used"),
            ("udp", ("--set", "dpdk.wait=poll"), "dpdk.wait=poll says nothing here: dpdk is not used"),
        ):
            with self.subTest(datapath=datapath, options=options):
                require(datapath in BUILT, f"{datapath} does not run here")
                self.refused(self.run_command(datapath, *options), word, code=2)

    def test_an_option_without_effect_on_one_end_alone(self):
        require("afxdp" in BUILT, "afxdp does not run here")
        self.refused(self.run_command("afxdp+udp", "--send-buffer=1MiB"), "says nothing to afxdp", code=2)
        self.refused(["env", f"--chdir={self.place}", HARNESS, "compare", "--datapaths=sendfile,afxdp", "--send-buffer=1MiB"],
                     "says nothing to afxdp", "choose one that heeds it: ", "sendfile", code=2)

    def test_a_server_and_its_clients_refuse_it_too(self):
        get = [HARNESS, "get", "127.0.0.1:1/file", f"{self.place}/file"]
        for command, word in (
            ([*get, "--datapath=udp", "--link=loopback", "--mtu=1500"], "--mtu says nothing to udp over loopback"),
            ([*get, "--mtu=1500"], "--mtu says nothing to sendfile over veth"),
            ([*get, "--datapath=udp", "--mmap-window=1MiB"], "mmap is not used"),
            (self.serve_command("read_write", "--mtu=9000", address="127.0.0.1"), "--mtu says nothing to read_write"),
        ):
            with self.subTest(word=word):
                self.refused(command, word, code=2)

    def test_all_leaves_out_whoever_does_not_heed(self):
        require("afxdp" in BUILT, "afxdp does not run here")
        done = subprocess.run([HARNESS, "compare", "--datapaths=all", "--send-buffer=1MiB", "--size=1MiB", "--runs=1",
                               "--warmups=0", "--probed=0", "--link=veth", f"--work={self.place}/work",
                               f"--output={self.place}/record.json"], capture_output=True, text=True, timeout=4 * DEADLINE)
        self.assertEqual(done.returncode, 0, done.stderr)
        pairs = {pair["label"]: pair for pair in json.loads((self.place / "record.json").read_text())["contestants"]}
        self.assertEqual(pairs["afxdp"]["status"], "unavailable")
        self.assertIn("--send-buffer says nothing to afxdp", pairs["afxdp"]["reason"])
        self.assertEqual((pairs["udp"]["status"], pairs["sendfile"]["status"]), ("ok", "ok"))
        self.assertIn("afxdp: --send-buffer says nothing", " ".join(done.stdout.split()))

    def test_a_value_that_an_option_does_not_have(self):
        for option in ("afxdp-mode=sideways", "afxdp-umem=gold", "afxdp-zero-copy=maybe", "afxdp-need-wakeup=perhaps",
                       "afxdp-tx-ring=1000", "dpdk-wait=never", "udp-gso=perhaps"):
            datapath = option.split("-")[0]
            with self.subTest(option=option):
                require(datapath in BUILT, f"{datapath} does not run here")
                self.refused(self.run_command(datapath, f"--{option}"), f"={option.split('=')[1]} makes no sense", code=2)


if __name__ == "__main__":
    program = unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2, exit=False)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun > 0 and len(result.skipped) == result.testsRun:
        sys.exit(77)
