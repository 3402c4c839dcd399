#!/usr/bin/env python3
"""stream.py serve ADDRESS PORT: gives back what it gets, by TCP and by UDP, until it is ended.
stream.py ADDRESS PORT UNTIL: sends a number every 20 ms both ways, until the file UNTIL is there, and prints

    {"datagrams": sent, "lost": of them, "silence_ms": the longest, "tcp_silence_ms": the longest, "tcp": "open" or why it ended}
"""
import json
import os
import select
import socket
import struct
import sys
import time

EVERY = 0.02
LAST_WORDS = 2.0  # for what is still on its way in the end
PATIENCE = 120


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(address, port):
    listener = socket.create_server((address, port), family=family_of(address))
    datagrams = socket.socket(family_of(address), socket.SOCK_DGRAM)
    datagrams.bind((address, port))
    streams = []
    while True:
        for each in select.select([listener, datagrams, *streams], [], [])[0]:
            if each is listener:
                streams.append(listener.accept()[0])
            elif each is datagrams:
                data, sender = each.recvfrom(2048)
                try:
                    each.sendto(data, sender)
                except OSError:
                    pass  # as on a wire that loses it
            else:
                try:
                    data = each.recv(2048)
                    each.sendall(data)
                except OSError:
                    data = b""
                if not data:
                    streams.remove(each)


class Silence:
    def __init__(self, now):
        self.last, self.longest = now, 0

    def heard(self, now):
        self.longest, self.last = max(self.longest, now - self.last), now

    def milliseconds(self):
        return round(self.longest * 1000)


def ask(address, port, until):
    stream = socket.create_connection((address, port), timeout=5)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream.setblocking(False)
    datagrams = socket.socket(family_of(address), socket.SOCK_DGRAM)
    datagrams.bind((stream.getsockname()[0], 0))
    datagrams.connect((address, port))
    datagrams.setblocking(False)
    begun = now = time.monotonic()
    by_tcp, by_udp = Silence(now), Silence(now)
    sent, heard, ended, tcp, end = 0, set(), 0, "open", None
    while end is None or now < end:
        if end is None and (os.path.exists(until) or now > begun + PATIENCE):
            end = now + LAST_WORDS
        if end is None and now >= begun + sent * EVERY:
            try:
                datagrams.send(struct.pack("!I", sent))
            except OSError:
                pass  # no route at the moment: it is lost
            sent += 1
            if tcp == "open":
                try:
                    stream.send(b"x")
                except BlockingIOError:
                    pass
                except OSError as error:
                    tcp = error.strerror
        waiting = [datagrams] + ([stream] if tcp == "open" else [])
        for each in select.select(waiting, [], [], EVERY / 4)[0]:
            try:
                data = each.recv(65536)
            except OSError as error:
                if each is stream:
                    tcp = error.strerror
                continue
            if each is stream:
                if not data:
                    tcp = "closed by the other end"
                if end is None or by_tcp.last < ended:
                    by_tcp.heard(time.monotonic())
            elif len(data) == 4:
                heard.add(data)
                by_udp.heard(time.monotonic())
        now = time.monotonic()
        if end is None:
            ended = now
    for each in (by_tcp, by_udp):
        if each.last < ended - EVERY * 5:
            each.heard(now)  # silent in the end
    print(json.dumps({"datagrams": sent, "lost": sent - len(heard), "silence_ms": by_udp.milliseconds(),
                      "tcp_silence_ms": by_tcp.milliseconds(), "tcp": tcp}))


if sys.argv[1] == "serve":
    serve(sys.argv[2], int(sys.argv[3]))
else:
    ask(sys.argv[1], int(sys.argv[2]), sys.argv[3])
