#!/usr/bin/env python3
"""probe.py LAB MATRIX STATE [HOST...]: every host of CouchNet (or only these) sends an echo request to every address of
every other one, all at once, while all wires and the insides of all tunnels are watched. Tells what differs from what
MATRIX says of STATE. The comments of that file explain its words; the addresses stand in `hosts` beside it.

It is one process that has a foot in each network namespace. Each request and its answer carry a mark of their own, so
whoever sees the mark on a wire has seen the clear text, and the tunnels in which it is seen tell its way.
"""
import ctypes
import os
import random
import re
import select
import socket
import struct
import sys
import time

LAB, MATRIX, STATE = sys.argv[1:4]
ONLY = sys.argv[4:]

GATEWAYS = {"jacinth": "J", "surya": "S"}
TUNNELS = ["jacinth", "surya", "xena", "selen"]
OUTSIDE = ["wild", "cafe"]  # the wires on which nothing of ours may be read
FAMILIES = ["IPv4", "IPv6"]

SENT_AT = [0, 0.3, 0.8]  # seconds; a neighbour that has to be found first may cost a packet
ENOUGH = 1.0  # for what must not be answered
PATIENCE = 4.0  # for what must

MARK = re.compile(rb"CouchNet (\d{5});")
REQUEST = {4: 8, 6: 128}
REPLY = {4: 0, 6: 129}
CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 263, 1, 1
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
libc = ctypes.CDLL(None, use_errno=True)


def die(text):
    sys.exit(f"probe.py: {text}")


def lines(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0].strip()
            if line:
                yield line


def read_expectations():
    """{(source, destination, family): cell} of STATE."""
    cells, columns, here = {}, None, False
    for line in lines(MATRIX):
        if line.startswith("state "):
            here, columns = STATE in line.removeprefix("state ").split(" | "), None
        elif here and columns is None:
            columns = line.split()
        elif here:
            source, *row = line.split()
            if len(row) != len(columns):
                die(f"{MATRIX}: {STATE}: {source} has {len(row)} cells for {len(columns)} addresses")
            for column, cell in zip(columns, row):
                both = cell.split("/")
                for i, family in enumerate(FAMILIES):
                    cells[source, column, family] = both[i if len(both) > 1 else 0]
    if not cells:
        die(f'{MATRIX} knows no state "{STATE}"')
    return cells


class Enter:
    """Sockets that are made within belong to that host."""

    home = os.open("/proc/self/ns/net", os.O_RDONLY)

    def __init__(self, host):
        self.netns = os.open(f"/run/netns/lab{LAB}-{host}", os.O_RDONLY)

    def __enter__(self):
        self.set(self.netns)

    def __exit__(self, *_):
        self.set(self.home)
        os.close(self.netns)

    @staticmethod
    def set(netns):
        if libc.setns(netns, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


class Point:
    """A wire, or the inside of a tunnel's end."""

    def __init__(self, host, link, name):
        self.name = name
        with Enter(host):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
            self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self.socket.bind((link, ETH_P_ALL))
            if host == "wild":
                self.socket.setsockopt(
                    SOL_PACKET,
                    PACKET_ADD_MEMBERSHIP,
                    struct.pack("iHH8x", socket.if_nametoindex(link), PACKET_MR_PROMISC, 0),
                )

    def receive(self):
        packet, ancillary, _, _ = self.socket.recvmsg(4096, 64)
        seconds, nanoseconds = struct.unpack("ll", ancillary[0][2])
        return packet, seconds + nanoseconds / 1e9


def echo_type(packet):
    """8 and 128 are requests, 0 and 129 replies; None is something else."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and packet[9] == socket.IPPROTO_ICMP:
        return packet[(packet[0] & 15) * 4]
    if version == 6 and packet[6] == socket.IPPROTO_ICMPV6:
        return packet[40]
    return None


class Pinger:
    def __init__(self, host):
        self.sockets = {}
        with Enter(host):
            self.sockets["IPv4"] = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
            self.sockets["IPv6"] = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        for each in self.sockets.values():
            each.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
            each.setblocking(False)

    def send(self, probe):
        kind = REQUEST[4 if probe.family == "IPv4" else 6]
        body = struct.pack("!BBHHH", kind, 0, 0, IDENT, 0) + b"CouchNet %05d;" % probe.number + bytes(33)
        if probe.family == "IPv4":  # of IPv6 the kernel makes the sum
            total = sum(struct.unpack(f"!{len(body) // 2}H", body))
            total = (total & 0xFFFF) + (total >> 16)
            body = body[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + body[4:]
        try:
            self.sockets[probe.family].sendto(body, (probe.address, 0))
        except OSError as error:
            probe.error = error.strerror


class Probe:
    def __init__(self, number, source, destination, family, address, expected):
        self.number, self.source, self.destination = number, source, destination
        self.family, self.address = family, address
        self.expected = expected.rstrip("!")
        self.may_be_read = expected.endswith("!")
        self.answered, self.error = False, ""
        self.request_seen, self.seen = {}, set()  # where, since when; where, be it the answer

    def way(self):
        order = [point for point, _ in sorted(self.request_seen.items(), key=lambda item: item[1])]
        return "".join(GATEWAYS[point] for point in order if point in GATEWAYS) or "d"

    def fault(self):
        read = [wire for wire in OUTSIDE if wire in self.seen]
        faults = []
        if self.expected == "-" and self.answered:
            faults.append(f"is answered {in_words(self.way())}, but should not be")
        if self.expected != "-" and not self.answered:
            faults.append(f"no answer, expected {in_words(self.expected)}")
        elif self.expected not in ("-", self.way()):
            faults.append(f"went {in_words(self.way())}, expected {in_words(self.expected)}")
        if read and not self.may_be_read:
            faults.append("is readable on " + " and ".join(read))
        if self.may_be_read and self.answered and not read:
            faults.append("was not seen on any wire outside, where it should pass")
        if not faults:
            return None
        text = f"{self.source} -> {self.destination} {self.family} ({self.address}; xena {STATE}): " + "; ".join(faults)
        if not self.answered:
            order = sorted(self.request_seen, key=self.request_seen.get)
            text += f" [{self.error or 'the request was seen at ' + (', '.join(order) or 'no place')}]"
        return text


def in_words(way):
    names = {letter: name for name, letter in GATEWAYS.items()}
    return "directly" if way == "d" else "through " + ", then ".join(names[letter] for letter in way)


IDENT = random.getrandbits(16)
directory = os.path.dirname(os.path.realpath(__file__))
addresses = {}
for line in lines(os.path.join(directory, "hosts")):
    name, *both = line.split()
    addresses.update({(name, family): address for family, address in zip(FAMILIES, both)})

probes = []
for (source, destination, family), cell in read_expectations().items():
    if cell != "." and (not ONLY or source in ONLY) and addresses[destination, family] != "-":
        probes.append(Probe(len(probes), source, destination, family, addresses[destination, family], cell))

points = [Point("wild", wire, wire) for wire in ["lan"] + OUTSIDE]
points += [Point(host, "wg0", host) for host in TUNNELS]
pingers = {source: Pinger(source) for source in {probe.source for probe in probes}}
readers = {point.socket: point for point in points}
answers = {each: family for pinger in pingers.values() for family, each in pinger.sockets.items()}
poll = select.poll()
by_number = {}
for each in [*readers, *answers]:
    poll.register(each, select.POLLIN)
    by_number[each.fileno()] = each

begun = time.monotonic()
rounds = list(SENT_AT)
while True:
    now = time.monotonic() - begun
    if rounds and now >= rounds[0]:
        rounds.pop(0)
        for probe in probes:
            if not probe.answered:
                pingers[probe.source].send(probe)
    waiting = any(not probe.answered and probe.expected != "-" for probe in probes)
    if now > PATIENCE or (now > ENOUGH and not waiting):
        break
    for number, _ in poll.poll(50):
        each = by_number[number]
        if each in readers:
            packet, at = readers[each].receive()
            if mark := MARK.search(packet):
                probe, point = probes[int(mark[1])], readers[each].name
                probe.seen.add(point)
                if echo_type(packet) in REQUEST.values():
                    probe.request_seen.setdefault(point, at)
            continue
        packet, sender = each.recvfrom(4096)
        kind = packet[(packet[0] & 15) * 4] if answers[each] == "IPv4" else packet[0]
        mark = MARK.search(packet)
        if mark and kind in REPLY.values():
            probe = probes[int(mark[1])]
            probe.answered |= sender[0] == probe.address

faults = [text for probe in probes if (text := probe.fault())]
for text in faults:
    print(text)
passed = len(probes) - len(faults)
print(f"  xena {STATE}: {passed} of {len(probes)} as expected, in {time.monotonic() - begun:.1f} s")
sys.exit(1 if faults else 0)
