"""journal_player.py JOURNAL NOTIFY: plays systemd's journal and service manager on these two sockets. Prints an object of JSON a
datagram, as they come, until it is ended. Written from https://systemd.io/JOURNAL_NATIVE_PROTOCOL and sd_notify(3)."""

import json
import os
import selectors
import socket
import sys


def fields(datagram):
    while datagram:
        line, datagram = datagram.split(b"\n", 1)
        name, equals, value = line.partition(b"=")
        if not equals:
            size, datagram = int.from_bytes(datagram[:8], "little"), datagram[8:]
            value, datagram = datagram[:size], datagram[size + 1 :]
        yield name.decode(), value.decode()


def main(journal, notify):
    selector = selectors.DefaultSelector()
    for path in (journal, notify):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(path)
        os.chmod(path, 0o666)
        selector.register(listener, selectors.EVENT_READ, path)
    print("{}", flush=True)
    while True:
        for key, _ in selector.select():
            datagram = key.fileobj.recv(1 << 18)
            print(json.dumps(dict(fields(datagram)) if key.data == journal else {"notify": datagram.decode()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
