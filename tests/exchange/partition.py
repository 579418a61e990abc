"""Three hosts in network namespaces: two collectors, and a service beside the broker. The link of
one collector is cut for a while; evidence waits meanwhile, and all serve one version soon after.

    tests/exchange/partition.py --machine build/tests/exchange/exchange-machine --seconds 60

Needs root, for `ip netns`. Ends with 77, which Meson takes for "skipped", where that is not allowed.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
PATIENCE = 90  # Seconds for what has no limit of its own.


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Hosts:
    """A bridge, and a namespace for each host, with a link of its own to the bridge."""

    def __init__(self, names):
        self.tag = f"fer{os.getpid() % 10000}"
        self.names = list(names)
        self.bridge = f"{self.tag}br"
        try:
            self.make()
        except (subprocess.CalledProcessError, FileNotFoundError):
            self.close()
            raise

    def make(self):
        ip("link", "add", self.bridge, "type", "bridge")
        ip("link", "set", self.bridge, "up")
        for number, name in enumerate(self.names, 1):
            space, link = self.space(name), self.link(name)
            ip("netns", "add", space)
            ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("link", "set", link, "master", self.bridge, "up")
            ip("-n", space, "addr", "add", f"10.97.0.{number}/24", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "link", "set", "lo", "up")

    def space(self, name):
        return f"{self.tag}{name}"

    def link(self, name):
        return f"{self.tag}{self.names.index(name)}"

    def address(self, name):
        return f"10.97.0.{self.names.index(name) + 1}"

    def cut(self, name, apart):
        ip("link", "set", self.link(name), "down" if apart else "up")

    def close(self):
        if not shutil.which("ip"):
            return
        for name in self.names:
            subprocess.run(["ip", "netns", "del", self.space(name)], capture_output=True)
            subprocess.run(["ip", "link", "del", self.link(name)], capture_output=True)
        subprocess.run(["ip", "link", "del", self.bridge], capture_output=True)


class Machine:
    """A program on a host, and what it prints."""

    def __init__(self, hosts, host, words, output):
        self.output = output
        with open(output, "ab") as file:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", hosts.space(host), *map(str, words)],
                stdout=file, stderr=subprocess.STDOUT)  # fmt: skip

    def state(self):
        last = {}
        for line in self.output.read_text(errors="replace").splitlines():
            try:
                one = json.loads(line)
            except ValueError:
                continue
            if "serving" in one:
                last = one
        return last

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def wait_for(what, condition, seconds=PATIENCE):
    """Seconds until the condition holds."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            sys.exit(f"{what}: not within {seconds} s")
        time.sleep(0.05)
    return time.monotonic() - begun


def run(options, hosts, folder):
    subprocess.run([options.machine, "make", folder], check=True)
    (folder / "mosquitto.conf").write_text(
        "user root\nlistener 1883 0.0.0.0\nallow_anonymous true\n"
    )
    machines = []

    def start(host, *words):
        output = folder / f"{host}-{words[0].name}.out"
        output.touch()
        machines.append(Machine(hosts, host, words, output))
        return machines[-1]

    def machine(host, what):
        address = f"mqtt://{hosts.address('hub')}"
        return start(host, options.machine, what, address, "door", folder / host,
                     folder / "last.fer", folder / "tiny.packed")  # fmt: skip

    try:
        start("hub", options.broker, "-c", folder / "mosquitto.conf")
        service = machine("hub", "learn")
        near, far = machine("near", "collect"), machine("far", "collect")
        everybody = [service, near, far]

        def versions():
            return {one.state().get("serving") for one in everybody}

        def agree():
            return len(versions()) == 1 and versions() != {service.state().get("source")}

        took = wait_for("the first version that all serve", agree)
        print(f"all serve one version {took:.1f} s after the start")
        hosts.cut("far", True)
        before = far.state()["serving"]
        wait_for("the far collector notices", lambda: not far.state()["connected"])
        time.sleep(options.seconds)
        state = far.state()
        print(f"cut off for {options.seconds} s: {state}; near: {near.state()}")
        if state["serving"] != before or state["spooled"] < 1:
            sys.exit("the far collector did not go on, or kept no evidence")
        hosts.cut("far", False)
        took = wait_for("all serve one version again", agree)
        print(f"all serve one version {took:.1f} s after the link is back")
        if took > options.within:
            sys.exit(f"expected at most {options.within} s")
        sent = state["sent"]
        took = wait_for("what waited arrives", lambda: far.state()["sent"] > sent)
        print(f"what waited began to arrive {took:.1f} s later: {far.state()}")
    finally:
        for one in machines:
            one.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--machine", type=pathlib.Path, required=True)
    parser.add_argument("--broker", type=pathlib.Path, default=shutil.which("mosquitto"))
    parser.add_argument("--seconds", type=float, default=60, help="that the link is cut")
    parser.add_argument("--within", type=float, default=10, help="that all must agree after it")
    options = parser.parse_args()
    options.machine = options.machine.resolve()
    options.broker = pathlib.Path(options.broker or "/usr/sbin/mosquitto")
    try:
        hosts = Hosts(["hub", "near", "far"])
    except (subprocess.CalledProcessError, FileNotFoundError) as refused:
        print(f"skipped: network namespaces cannot be made here: {refused}")
        sys.exit(SKIPPED)
    try:
        with tempfile.TemporaryDirectory() as folder:
            run(options, hosts, pathlib.Path(folder))
    finally:
        hosts.close()


if __name__ == "__main__":
    main()
