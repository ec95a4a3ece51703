"""Waiting for what another process is about to do."""

import socket
import time
from collections.abc import Callable


def wait_for_port(port: int, seconds: float = 20) -> None:
    """Until somebody listens on the port of this machine; fails when nobody does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"nobody listens after {seconds:.0f} s")


def wait_until(came: Callable[[], bool], seconds: float = 10) -> None:
    """Until it is so; fails when it never is."""
    until = time.monotonic() + seconds
    while not came():
        assert time.monotonic() < until, f"it did not come within {seconds:.0f} s"
        time.sleep(0.02)
