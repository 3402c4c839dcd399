"""Random operations on the lab's hosts, and what must be right after each batch of them. Started by tests/lab/soak.

Each host has agents: processes that have entered its namespaces and run there what they are told to, so that a command
costs no more than itself. All randomness comes from one seed; how the hosts' work interleaves is the machine's affair.

What must be right, once everything has come to rest:
  - both ends of a pair say the same of it, and have each other's peer on wg0 if, and only if, they say "up";
  - the routes of a peer stand if, and only if, the peer does;
  - a pair is up if, and only if, somebody wishes it;
  - rules, links, addresses, other routes and a foreign WireGuard interface are as they were at the start;
  - each host has the processes that it should have and no others, and none of them is a zombie;
  - what runs on needs no more descriptors and no more memory than it did after a while.
"""

import ctypes
import json
import multiprocessing
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import time

ALL = ("xena", "jacinth", "surya")
# A server whose anubis0 was made anew is heard by a roamer that wants nothing of it only when WireGuard begins the
# roamer's side tunnel afresh: after 120 s (REKEY_AFTER_TIME) and up to a keepalive.
SETTLE_SECONDS = float(os.environ.get("SOAK_SETTLE", "150"))
LARGEST_BATCH = 3
UNKNOWN = "perhaps somebody"
OUR_PROTOCOL = "214"
OUR_TABLE = "214"


class Wrong(Exception):
    """Something is not as it must be."""


# --- in the hosts ------------------------------------------------------------------------------------------------------


class Agent:
    """A process in a host's namespaces."""

    def __init__(self, keeper, environment):
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=self.serve, args=(theirs, keeper, environment), daemon=True)
        self.process.start()
        theirs.close()

    def begin(self, what, *arguments):
        self.pipe.send((what, arguments))

    def result(self, timeout=60):
        if not self.pipe.poll(timeout):
            raise Wrong("a command does not end")
        outcome = self.pipe.recv()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def do(self, what, *arguments):
        self.begin(what, *arguments)
        return self.result()

    # From here on in the host.

    @staticmethod
    def serve(pipe, keeper, environment):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        libc = ctypes.CDLL(None, use_errno=True)
        for kind in ("net", "mnt"):
            with open(f"/proc/{keeper}/ns/{kind}") as namespace:
                if libc.setns(namespace.fileno(), 0) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
        os.environ.update(environment)
        os.chdir("/")
        servant = Servant()
        while True:
            try:
                what, arguments = pipe.recv()
            except EOFError:
                return
            try:
                pipe.send(getattr(servant, what)(*arguments))
            except Exception as error:  # whatever it is, the other end must hear of it
                pipe.send(Wrong(f"{what}{arguments}: {error}"))


class Servant:
    """What an agent can do."""

    daemon = None

    def run(self, *command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50)
        return done.returncode, done.stdout + done.stderr

    def launch(self, command, log):
        with open(log, "a") as out:
            self.daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        return self.daemon.pid

    def await_end(self, seconds):
        try:
            return self.daemon.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def await_ready(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.daemon.poll() is not None:
                return f"anubisd ended with {self.daemon.returncode}"
            if subprocess.run(["anubis", "peers"], capture_output=True).returncode == 0:
                return ""
            time.sleep(0.005)
        return "anubisd does not become ready"

    def server_of(self, interface):
        """The process that serves a userspace interface."""
        with socket.socket(socket.AF_UNIX) as uapi:
            try:
                uapi.connect(f"/run/wireguard/{interface}.sock")
            except OSError:
                return 0
            return struct.unpack("3i", uapi.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]

    def look(self):
        batch = "route show table all\nrule show\naddress show\n"
        texts = {}
        for family in ("-4", "-6"):
            texts[family] = subprocess.run(
                ["ip", family, "-o", "-batch", "-"], input=batch, capture_output=True, text=True).stdout
        wireguard = subprocess.run(["wg", "show", "all", "allowed-ips"], capture_output=True, text=True).stdout
        status = subprocess.run(["anubis", "status", "--json"], capture_output=True, text=True).stdout
        return texts, wireguard, status


# --- the hosts ---------------------------------------------------------------------------------------------------------


class Host:
    def __init__(self, name, keeper, number, directory, binaries):
        self.name, self.number, self.directory = name, int(number), f"{directory}/{name}"
        self.network = os.readlink(f"/proc/{keeper}/ns/net")
        environment = {"ANUBIS_CONFIG": f"{self.directory}/anubis.toml", "PATH": f"{binaries}:{os.environ['PATH']}"}
        self.agents = [Agent(int(keeper), environment) for _ in range(1 + LARGEST_BATCH)]  # the first starts daemons and looks
        self.pid = 0
        self.allowed = {}  # by peer: what our configuration gives it
        self.keepalive = {}
        self.key = open(f"{self.directory}/production.pub").read().strip()
        self.descriptors = {}  # by process: at its first look
        self.address = f"192.0.2.{self.number}"

    @property
    def agent(self):
        return self.agents[0]

    def run(self, *command):
        return self.agent.do("run", *command)

    def must(self, *command):
        status, output = self.run(*command)
        if status != 0:
            raise Wrong(f"{self.name}: {' '.join(command)} ended with {status}: {output}")
        return output

    def start(self):
        command = ["anubisd", "--config", f"{self.directory}/anubis.toml", "--state-dir", f"{self.directory}/state"]
        self.pid = self.agent.do("launch", command, f"{self.directory}/log")

    def await_ready(self):
        complaint = self.agent.do("await_ready", 15)
        if complaint:
            raise Wrong(f"{self.name}: {complaint}")

    def await_end(self, seconds=5):
        status = self.agent.do("await_end", seconds)
        if status is None:
            raise Wrong(f"{self.name}: anubisd does not end")
        self.pid = 0
        return status

    def kill(self, how):
        os.kill(self.pid, how)
        return self.await_end()

    def netd(self):
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as children:
            found = children.read().split()
        if not found:
            raise Wrong(f"{self.name}: anubisd has no anubis-netd")
        return int(found[0])

    def write_configuration(self, peers, without=()):
        """peers: all hosts. A temporary file first: a daemon that is being started may read it."""
        text = open(f"{self.directory}/head").read()
        for peer in peers:
            if peer is self or peer.name in without:
                continue
            text += "[[peer]]\n"
            text += f'name = "{peer.name}"\npublic_key = "{peer.key}"\n'
            text += f'side_public_key = "{open(peer.directory + "/side.pub").read().strip()}"\n'
            if peer.name != "xena":  # who moves
                text += f'endpoint = "192.0.2.{peer.number}"\n'
            text += "allowed_ips = [{}]\n".format(", ".join(f'"{each}"' for each in sorted(self.allowed[peer.name])))
            text += f"persistent_keepalive = {self.keepalive[peer.name]}\n\n"
        with open(f"{self.directory}/new.toml", "w") as new:
            new.write(text)
        os.rename(f"{self.directory}/new.toml", f"{self.directory}/anubis.toml")


class View:
    """What one look at a host shows."""

    def __init__(self, host, seen):
        texts, wireguard, status = seen
        self.routes, self.peers, self.other = set(), set(), []
        for family, text in texts.items():
            for line in text.splitlines():
                line = re.sub(r"\s+", " ", line).strip()
                if f"dev wg0 table {OUR_TABLE} proto {OUR_PROTOCOL}" in line:
                    prefix = line.split()[0]
                    self.routes.add(prefix if "/" in prefix else prefix + ("/32" if family == "-4" else "/128"))
                elif "fe80:" in line or "multicast" in line or line.startswith("ff00"):
                    continue  # the kernel's own, with an address that it draws
                else:
                    line = re.sub(r"^\d+: (?=[a-z])", "", line)  # the number of an interface, not that of a rule
                    self.other.append(re.sub(r" valid_lft .*", "", line))
        foreign = []
        for line in wireguard.splitlines():
            interface, key, _ = line.split("\t")
            if interface == "wg0":
                self.peers.add(key)
            elif interface != "anubis0":
                foreign.append(line)
        self.other = sorted(self.other) + sorted(foreign)
        self.status = json.loads(status)
        self.states = {peer["name"]: peer for peer in self.status["peers"]}


class Soak:
    def __init__(self, directory, binaries, arguments, seed):
        self.random = random.Random(seed)
        self.hosts = {}
        for name, keeper, number in zip(*[iter(arguments)] * 3):
            self.hosts[name] = Host(name, keeper, number, directory, binaries)
        self.all = list(self.hosts.values())
        self.history = []
        self.counts = {}
        self.wishes = {}  # by pair: who wishes that it be up
        self.longest = (0, "")
        self.memory = {}

    # --- before -----------------------------------------------------------------------------------------------------

    def prepare(self):
        for host in self.all:
            for peer in self.all:
                host.allowed[peer.name] = {f"10.44.0.{peer.number}/32", f"fd44::{peer.number}/128"}
                host.keepalive[peer.name] = 0
            host.write_configuration(self.all)
            # Foreign: a bridge with an address, routes in our table and in the main one, a rule, and a WireGuard
            # interface with a peer.
            for command in ("link add foreign type bridge", "link set foreign up", "address add 203.0.113.1/24 dev foreign",
                            "route add 198.51.100.0/24 dev foreign table 214 proto static",
                            "route add 198.51.101.0/24 dev foreign", "-6 route add 2001:db8:77::/64 dev foreign table 214",
                            "rule add from 203.0.113.77 lookup 77 protocol static"):
                host.must("ip", *command.split())
            self.make_foreign_wireguard(host)
            host.start()
        for host in self.all:
            host.await_ready()
        for one, other in self.pairs():
            self.wishes[one.name, other.name] = set()
            one.must("anubis", "up", other.name, "--timeout", "10s")
            one.must("anubis", "down", other.name)
        self.before = {host.name: View(host, host.agent.do("look")) for host in self.all}

    def make_foreign_wireguard(self, host):
        if os.environ.get("ANUBIS_BACKEND") == "kernel":
            host.must("ip", "link", "add", "wgforeign", "type", "wireguard")
        else:
            host.agents[2].do("launch", ["wireguard-go", "-f", "wgforeign"], f"{host.directory}/wgforeign.log")
            end = time.monotonic() + 5
            while host.agent.do("server_of", "wgforeign") == 0:
                if time.monotonic() > end:
                    raise Wrong("no foreign WireGuard interface")
                time.sleep(0.01)
        key = subprocess.run(["wg", "genkey"], capture_output=True, text=True).stdout
        public = subprocess.run(["wg", "pubkey"], input=key, capture_output=True, text=True).stdout.strip()
        host.must("wg", "set", "wgforeign", "peer", public, "allowed-ips", "198.51.102.0/24")

    def pairs(self):
        return [(one, other) for i, one in enumerate(self.all) for other in self.all[i + 1:]]

    def pair(self, one, other):
        return (one.name, other.name) if (one.name, other.name) in self.wishes else (other.name, one.name)

    # --- operations -------------------------------------------------------------------------------------------------
    # Each is a generator: it begins something, yields, and is taken up again when the others of its batch have begun, too.

    def draw_pair(self):
        return self.random.sample(self.all, 2)

    def command(self, host, lane, *words):
        host.agents[lane].begin("run", "anubis", *words)

    def up(self, lane):
        one, other = self.draw_pair()
        words = ["up", other.name, "--timeout", "1s"]
        if self.random.random() < 0.3:
            words += ["--lease", self.random.choice(["20s", "2m", "1h"])]
        self.note(f"{one.name}: {' '.join(words)}")
        self.command(one, lane, *words)
        yield
        status, output = one.agents[lane].result()
        self.outcome(one, other, status, output, "up", (0, 1, 4, 5, 8))

    def down(self, lane):
        one, other = self.draw_pair()
        self.note(f"{one.name}: down {other.name}")
        self.command(one, lane, "down", other.name, "--timeout", "4s")
        yield
        status, output = one.agents[lane].result()
        self.outcome(one, other, status, output, "down", (0, 1, 4, 5, 8))

    def down_all(self, lane):
        one = self.random.choice(self.all)
        self.note(f"{one.name}: down --all")
        self.command(one, lane, "down", "--all", "--timeout", "4s")
        yield
        status, output = one.agents[lane].result()
        for other in self.all:
            if other is not one:
                self.outcome(one, other, status, output, "down", (0, 1, 4, 5, 8))

    def status(self, lane):
        one = self.random.choice(self.all)
        words = self.random.choice([["status"], ["status", "--json"], ["peers", "--json"], ["is-up", self.draw_pair()[0].name]])
        self.note(f"{one.name}: {' '.join(words)}")
        self.command(one, lane, *words)
        yield
        status, output = one.agents[lane].result()
        if status not in (0, 3, 6, 8):
            raise Wrong(f"{one.name}: {' '.join(words)} ended with {status}: {output}")

    def outcome(self, one, other, status, output, kind, allowed):
        self.note(f"  {one.name}: {status} {output.strip()[:300]}")
        if status not in allowed:
            raise Wrong(f"{one.name} of {other.name}: exit status {status}: {output}")
        self.changes.setdefault(self.pair(one, other), []).append((kind, one.name, status))

    def take_wishes(self):
        """What the batch has made of the wishes. Of commands that failed or that crossed each other, nobody can say."""
        for pair, changes in self.changes.items():
            wishes = self.wishes[pair]
            kinds = {kind for kind, _, _ in changes}
            if len(kinds) > 1 or any(status != 0 for _, _, status in changes):
                wishes = {UNKNOWN}
            elif kinds == {"up"}:
                wishes = wishes | {name for _, name, _ in changes}
            elif kinds == {"down"}:
                wishes = set()
            else:  # a host went away: its own wishes have ended, those of others have not
                wishes = wishes - {name for _, name, _ in changes}
            self.wishes[pair] = wishes

    def reload(self, lane):
        """Something of a peer has changed."""
        one, other = self.draw_pair()
        extra = f"10.55.{other.number}.0/24"
        if self.random.random() < 0.5:
            one.allowed[other.name] ^= {extra}
        else:
            one.keepalive[other.name] = self.random.choice([0, 0, 7, 25])
        self.note(f"{one.name}: reload, {other.name} has {sorted(one.allowed[other.name])} and {one.keepalive[other.name]}")
        one.write_configuration(self.all)
        self.command(one, lane, "reload")
        yield
        status, output = one.agents[lane].result()
        self.note(f"  {one.name}: {status} {output.strip()[:300]}")
        if status not in (0, 8) and not self.restarting:
            raise Wrong(f"{one.name}: reload ended with {status}: {output}")

    def steal_route(self, lane):
        one = self.random.choice(self.all)
        routes = sorted(View(one, one.agent.do("look")).routes)
        if not routes:
            return
        route = self.random.choice(routes)
        self.note(f"{one.name}: somebody deletes the route to {route}")
        one.run("ip", "route", "del", route, "dev", "wg0", "table", OUR_TABLE)
        yield

    def steal_rule(self, lane):
        one = self.random.choice(self.all)
        family = self.random.choice(["-4", "-6"])
        rules = [line for line in one.must("ip", family, "rule").splitlines() if f"proto {OUR_PROTOCOL}" in line]
        if not rules:
            return
        preference = self.random.choice(rules).split(":")[0]
        self.note(f"{one.name}: somebody deletes {family} rule {preference}")
        one.run("ip", family, "rule", "del", "pref", preference)
        yield

    def steal_address(self, lane):
        one = self.random.choice(self.all)
        self.note(f"{one.name}: somebody deletes wg0's address")
        one.run("ip", "address", "del", f"10.44.0.{one.number}/24", "dev", "wg0")
        yield

    def steal_peer(self, lane):
        one, other = self.draw_pair()
        self.note(f"{one.name}: somebody removes {other.name} from wg0")
        one.run("wg", "set", "wg0", "peer", other.key, "remove")
        # WireGuard tells nobody of it. So that it is looked at in less than a minute:
        one.run("ip", "address", "add", "10.99.0.1/32", "dev", "wg0")
        one.run("ip", "address", "del", "10.99.0.1/32", "dev", "wg0")
        yield

    def steal_link(self, lane):
        one = self.random.choice(self.all)
        interface = self.random.choice(["wg0", "anubis0"])
        how = self.random.choice([["delete", interface], ["set", interface, "down"]])
        self.note(f"{one.name}: ip link {' '.join(how)}")
        one.run("ip", "link", *how)
        yield

    def kill_wireguard_go(self, lane):
        one = self.random.choice(self.all)
        interface = self.random.choice(["wg0", "anubis0"])
        pid = one.agent.do("server_of", interface)
        if pid == 0:
            return
        self.note(f"{one.name}: kill -9 of the wireguard-go of {interface}")
        os.kill(pid, signal.SIGKILL)
        yield

    def restart(self, lane):
        one = self.random.choice(self.all[:-1])  # the last one stays, so that its memory can be watched
        if one.pid == 0:
            return
        how = self.random.choice(["anubisd", "anubisd", "anubisd", "netd", "netd", "USR1", "USR1", "TERM"])
        self.note(f"{one.name}: end by {how}, and a new start")
        self.restarting.add(one)
        if self.random.random() < 0.5:
            yield  # the others have begun
        if how == "anubisd":
            one.kill(signal.SIGKILL)
        elif how == "netd":
            os.kill(one.netd(), signal.SIGKILL)
            one.await_end()
        elif how == "USR1":
            one.kill(signal.SIGUSR1)
        else:
            for other in self.all:
                if other is not one:
                    self.changes.setdefault(self.pair(one, other), []).append(("away", one.name, 0))
            one.kill(signal.SIGTERM)
        one.start()
        one.await_ready()
        yield

    def loss(self, lane):
        one = self.random.choice(self.all)
        percent = self.random.choice([10, 30, 60])
        self.note(f"{one.name}: {percent} % of all packets are lost for a while")
        one.run("nft", f"add table inet loss{lane}; add chain inet loss{lane} input {{ type filter hook input priority 0; }}; "
                f"add rule inet loss{lane} input iifname eth0 numgen random mod 100 < {percent} drop")
        yield
        yield  # until all others have ended
        one.must("nft", "delete", "table", "inet", f"loss{lane}")

    def cut(self, lane):
        one = self.random.choice(self.all)
        self.note(f"{one.name}: the cable is pulled for a while")
        one.must("nft", f"add table inet cut{lane}; add chain inet cut{lane} input {{ type filter hook input priority 0; }}; "
                 f"add rule inet cut{lane} input iifname eth0 drop")
        yield
        time.sleep(self.random.choice([0.1, 0.3, 1]))
        one.must("nft", "delete", "table", "inet", f"cut{lane}")

    def move(self, lane):
        """The roamer gets another address."""
        one = self.hosts["xena"]
        fresh = "192.0.2.101" if one.address == "192.0.2.1" else "192.0.2.1"
        self.note(f"xena moves to {fresh}")
        one.must("ip", "address", "add", f"{fresh}/24", "dev", "eth0")
        one.must("ip", "address", "del", f"{one.address}/24", "dev", "eth0")
        if not one.must("ip", "-4", "address", "show", "dev", "eth0").count(fresh):
            one.must("ip", "address", "add", f"{fresh}/24", "dev", "eth0")  # it went with the first one
        one.address = fresh
        yield

    WEIGHTS = {"up": 34, "down": 18, "down_all": 3, "status": 4, "reload": 4, "steal_route": 4, "steal_rule": 2,
               "steal_address": 2, "steal_peer": 4, "steal_link": 2, "kill_wireguard_go": 2, "restart": 10, "loss": 2,
               "cut": 2, "move": 2}

    def note(self, text):
        self.history.append(f"{time.monotonic() - self.began:8.3f}  {text}")

    def draw_batch(self):
        size = self.random.choice([1, 1, 1, 2, 2, LARGEST_BATCH])
        only = os.environ.get("SOAK_ONLY", " ".join(self.WEIGHTS)).split()
        return self.random.choices(only, [self.WEIGHTS[kind] for kind in only], k=size)

    def run_batch(self):
        self.changes = {}  # by pair: what may change who wishes it
        self.restarting = set()
        self.batch = self.draw_batch()
        self.note(f"batch: {', '.join(self.batch)}")
        running = []
        # Each has an agent of its own on each host, and those that kill come last: they interrupt what has begun.
        for lane, kind in enumerate(sorted(self.batch, key=lambda kind: kind == "restart"), start=1):
            if kind == "restart" and self.restarting:
                continue
            self.counts[kind] = self.counts.get(kind, 0) + 1
            running.append(getattr(self, kind)(lane))
        while running:
            running = [each for each in running if next(each, self) is not self]
        self.take_wishes()
        self.operations += len(self.batch)

    # --- what must be right -----------------------------------------------------------------------------------------

    def look(self):
        for host in self.all:
            host.agent.begin("look")
        return {host.name: View(host, host.agent.result()) for host in self.all}

    def complaint(self):
        """What is wrong; nothing: all is well."""
        views = self.look()
        for host in self.all:
            view = views[host.name]
            if view.status["daemon"] != "running":
                return f"{host.name}: the daemon does not answer"
            if view.status.get("degraded"):
                return f"{host.name} is degraded: {view.status['degraded']}"
            routes = set()
            for peer in self.all:
                if peer is host:
                    continue
                state = view.states[peer.name]["state"]
                if state not in ("up", "down", "failed"):
                    return f"{host.name}: {peer.name} is {state}"
                if (state == "up") != (peer.key in view.peers):
                    return f"{host.name}: {peer.name} is {state}, but wg0 has {len(view.peers)} peers"
                if state == "up":
                    routes |= host.allowed[peer.name]
            if view.routes != routes:
                return f"{host.name} has the routes {sorted(view.routes)} instead of {sorted(routes)}"
            before = [line.replace("192.0.2.1/24", host.address + "/24") for line in self.before[host.name].other]
            difference = set(before) ^ set(view.other)
            difference = {line for line in difference if not (host.name == "xena" and "192.0.2." in line)}
            if difference:
                return f"{host.name}: what is not a session's has changed: {sorted(difference)}"
        for one, other in self.pairs():
            states = [views[one.name].states[other.name]["state"] == "up", views[other.name].states[one.name]["state"] == "up"]
            if states[0] != states[1]:
                return f"{one.name} and {other.name} do not agree: {states}"
            wishes = self.wishes[one.name, other.name]
            if wishes != {UNKNOWN} and states[0] != bool(wishes):
                return f"{one.name} and {other.name} are {'up' if states[0] else 'down'}, but wished by {sorted(wishes) or 'nobody'}"
        return self.wrong_processes()

    def processes(self):
        """By host: (name, state, pid, start) of all that runs there and is not ours of the test."""
        found = {host.name: [] for host in self.all}
        names = {host.network: host.name for host in self.all}
        for entry in os.scandir("/proc"):
            if not entry.name.isdigit():
                continue
            try:
                network = os.readlink(f"/proc/{entry.name}/ns/net")
                if network not in names:
                    continue
                stat = open(f"/proc/{entry.name}/stat").read()
            except OSError:
                continue
            name, state, rest = re.match(r"\d+ \((.*)\) (\w) (.*)", stat, re.S).groups()
            if name.startswith(("anubis", "wireguard")) or name == "exe":  # netd's launcher, started by that name
                started = rest.split()[18]  # numbers of processes come again
                found[names[network]].append((name, state, int(entry.name), started))
        return found

    def wrong_processes(self):
        userspace = os.environ.get("ANUBIS_BACKEND") != "kernel"
        wanted = ["anubis-netd", "anubisd"] + (["exe"] + ["wireguard-go"] * 3) * userspace
        for name, processes in self.processes().items():
            if any(state == "Z" for _, state, _, _ in processes):
                return f"{name} has a zombie: {processes}"
            if sorted(each for each, _, _, _ in processes) != wanted:
                return f"{name} has other processes: {processes}"
            for program, _, pid, started in processes:
                if program == "wireguard-go":
                    continue
                try:
                    count = len(os.listdir(f"/proc/{pid}/fd"))
                except OSError:
                    return f"{name}: {program} ends"
                first = self.hosts[name].descriptors.setdefault((pid, started), count)
                if count > first + 6:
                    return f"{name}: {program} had {first} descriptors and has {count}"
        return None

    def settle(self):
        began = time.monotonic()
        while True:
            complaint = self.complaint()
            took = time.monotonic() - began
            if complaint is None:
                break
            if took > SETTLE_SECONDS:
                raise Wrong(f"after {took:.0f} s, {', '.join(self.batch)}: {complaint}")
            time.sleep(0.02)
        self.note(f"  settled after {took:.3f} s")
        if took > self.longest[0]:
            self.longest = (took, " / ".join(self.batch))

    def check_traffic(self):
        """Of one pair that is up, if there is one. WireGuard may have to shake hands anew first."""
        views = self.look()
        up = [(one, other) for one, other in self.pairs() if views[one.name].states[other.name]["state"] == "up"]
        if not up:
            return
        one, other = self.random.choice(up)
        # A roamer that moved while its daemon was being killed is found when it speaks, as WireGuard has it.
        if other.name == "xena" or (one.name != "xena" and self.random.random() < 0.5):
            one, other = other, one
        began = time.monotonic()
        # Of a wg0 that was made anew nobody tells a roamer that has just moved: it finds out itself when it is not
        # answered for 15 s (KEEPALIVE_TIMEOUT + REKEY_TIMEOUT).
        for _ in range(60):
            status, output = one.run("ping", "-q", "-c", "1", "-W", "0.5", f"10.44.0.{other.number}")
            if status == 0:
                break
        took = time.monotonic() - began
        if status != 0:
            raise Wrong(f"{one.name} cannot ping {other.name}: {output}")
        self.note(f"  {one.name} reaches {other.name} after {took:.3f} s")
        if took > self.slowest_ping[0]:
            self.slowest_ping = (took, " / ".join(self.batch))

    def watch_memory(self):
        """Of the host that is never restarted."""
        host = self.all[-1]
        for pid in (host.pid, host.netd()):
            status = open(f"/proc/{pid}/status").read()
            size = int(re.search(r"VmRSS:\s+(\d+)", status).group(1))
            self.memory.setdefault(pid, []).append(size)
        if os.path.getsize(f"{host.directory}/state/sessions") > 1 << 20:
            raise Wrong(f"{host.name} remembers too much")

    def check_memory(self):
        for sizes in self.memory.values():
            warm = sizes[len(sizes) // 4:]
            if warm and warm[-1] > warm[0] + 1024 + warm[0] // 10:
                raise Wrong(f"memory grows: {warm[0]} KiB after a quarter of the time, {warm[-1]} KiB at the end")

    # --- all of it --------------------------------------------------------------------------------------------------

    def go(self, seconds, most):
        self.began = time.monotonic()
        self.operations = 0
        self.slowest_ping = (0, "")
        self.batch = []
        self.prepare()
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.operations < most:
            self.run_batch()
            self.settle()
            if self.random.random() < 0.1:
                self.check_traffic()
            self.watch_memory()
        self.check_memory()
        for host in self.all:
            host.kill(signal.SIGTERM)
        self.check_end()

    def check_end(self):
        """With the daemons, all that they made has gone."""
        for host in self.all:
            links = host.must("ip", "-br", "link")
            rules = host.must("ip", "rule") + host.must("ip", "-6", "rule")
            routes = host.must("ip", "route", "show", "table", "all") + host.must("ip", "-6", "route", "show", "table", "all")
            if re.search(r"^(wg0|anubis0)\b", links, re.M) or "proto 214" in rules + routes:
                raise Wrong(f"{host.name}: something is left behind: {links}{rules}{routes}")
            if "198.51.100.0/24 dev foreign" not in routes or "203.0.113.77" not in rules:
                raise Wrong(f"{host.name}: something foreign has gone: {rules}{routes}")

    def end(self):
        for host in self.all:
            for agent in host.agents:
                agent.process.kill()


def main():
    directory, binaries, *arguments = sys.argv[1:]
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(1 << 32))
    seconds = float(os.environ.get("SOAK_SECONDS", "45"))
    most = int(os.environ.get("SOAK_OPERATIONS", "1000000000"))
    print(f"- seed {seed} (SOAK_SEED={seed} draws the same operations)", flush=True)
    soak = Soak(directory, binaries, arguments, seed)
    try:
        soak.go(seconds, most)
    except Exception as error:  # whatever it is: what led to it is what counts
        print(f"- the last operations, of seed {seed}:", *soak.history[-80:], sep="\n", file=sys.stderr)
        print(f"FAILED: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    finally:
        soak.end()
    if os.environ.get("SOAK_VERBOSE"):
        print("\n".join(soak.history))
    print(f"- {soak.operations} operations: " + ", ".join(f"{kind} {count}" for kind, count in sorted(soak.counts.items())))
    print(f"- rest took {soak.longest[0]:.2f} s at most, after {soak.longest[1]}")
    print(f"- the first ping took {soak.slowest_ping[0]:.2f} s at most, after {soak.slowest_ping[1]}")
    for sizes in soak.memory.values():
        print(f"- memory: {sizes[0]} KiB at first, {sizes[-1]} KiB at the end")
    return 0


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    sys.exit(main())
