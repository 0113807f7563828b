# SPDX-License-Identifier: BSD-2-Clause
"""What programs that are compared run over, set up as the harness sets up its own veth."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from one_placement import sh

SERVER_IP, CLIENT_IP = "10.78.0.1", "10.78.0.2"

# GRO of a device is off on a veth by default, and the harness turns it on: ethtool(8) need not be there.
GRO_ON = """
import array, fcntl, socket, struct, sys
SIOCETHTOOL, ETHTOOL_GGRO, ETHTOOL_SGRO = 0x8946, 0x2b, 0x2c
def ethtool(command, value):
    data = array.array("I", [command, value])
    fcntl.ioctl(socket.socket(), SIOCETHTOOL, struct.pack("16sP16x", sys.argv[1].encode(), data.buffer_info()[0]))
    return data[1]
ethtool(ETHTOOL_SGRO, 1)
sys.exit(0 if ethtool(ETHTOOL_GGRO, 0) else "the kernel keeps GRO off on " + sys.argv[1])
"""


class Link:
    """Two namespaces joined by veth, CUBIC in both, a tmpfs for the receiver and a served directory in page cache."""

    def __init__(self, huge, mtu=1500):
        self.mtu = mtu
        self.names = [f"waggle-perf-{os.getpid()}-{side}" for side in "sc"]
        self.children = []
        self.dir = tempfile.mkdtemp(prefix="waggle-perf-")
        self.served = os.path.join(self.dir, "served")
        self.sink = os.path.join(self.dir, "sink")
        os.mkdir(self.served)
        os.mkdir(self.sink)
        try:
            self.set_up(huge)
        except BaseException:
            self.close()
            raise

    def set_up(self, huge):
        sh("mount", "-t", "tmpfs", "-o", "size=4g" + (",huge=always" if huge else ""), "tmpfs", self.sink)
        for name in self.names:
            sh("ip", "netns", "add", name)
        sh("ip", "-n", self.names[0], "link", "add", "wg0", "type", "veth", "peer", "name", "wg1", "netns", self.names[1])
        for name, device, address in zip(self.names, ("wg0", "wg1"), (SERVER_IP, CLIENT_IP)):
            sh("ip", "-n", name, "address", "add", f"{address}/24", "dev", device)
            sh("ip", "-n", name, "link", "set", "lo", "up")
            sh("ip", "-n", name, "link", "set", device, "mtu", str(self.mtu), "up")
            self.run(name, sys.executable, "-c", GRO_ON, device)
            # By route: a namespace may not choose a default that the host does not list as allowed.
            sh("ip", "-n", name, "route", "replace", "10.78.0.0/24", "dev", device, "src", address, "congctl", "cubic")

    def on(self, cpu, name, *command):
        return ["ip", "netns", "exec", name, "taskset", "-c", str(cpu), *command]

    def run(self, name, *command):
        return sh("ip", "netns", "exec", name, *command)

    def server(self, *command, **kwargs):
        child = subprocess.Popen(self.on(0, self.names[0], *command), stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, start_new_session=True, **kwargs)
        self.children.append(child)
        return child

    def client(self, *command, **kwargs):
        return sh(*self.on(1, self.names[1], *command), **kwargs)

    def wait_port(self, port, proto="-t"):
        for _ in range(500):
            if re.search(rf":{port}\b", self.run(self.names[0], "ss", "-Hln", proto)):
                return
            time.sleep(0.01)
        raise RuntimeError(f"nothing listens on port {port}")

    def stop(self, child):
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        self.children.remove(child)

    def close(self):
        for child in list(self.children):
            self.stop(child)
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        subprocess.run(["umount", self.sink], check=False, capture_output=True)
        shutil.rmtree(self.dir, ignore_errors=True)
