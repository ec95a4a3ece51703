"""Waiting for a server that was just started."""

import socket
import time


def wait_for_port(port: int, seconds: float = 20) -> None:
    """Until somebody listens on the port of this machine; fails when nobody does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"nobody listens after {seconds:.0f} s")
