"""The one way out: requests to addresses that somebody else named (webhooks, keys, discovery).

Such an address is a way to make the portal knock at doors that only the portal can reach. So a
name is resolved once, every address it has is checked, and the connection goes to the address that
was checked. No redirect is followed, no cookie or token of ours goes along, and the answer has an
end in bytes and in seconds. `OUTGOING_ALLOWED` names what may be reached in spite of the rule.
"""

import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Timer
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from .errors import AddressRefused, NotReached

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST = 2000
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z])(?:{_LABEL})", re.IGNORECASE)
"""A name with a dot whose last label begins with a letter: no number in any spelling is one."""
_PLAIN = re.compile(r"[!-~]+")
_NEVER = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96"),
    )
)
"""What Python calls global though it is none, and IPv6 that stands for an IPv4 address."""


@dataclass(frozen=True)
class Limits:
    """What an answer may take."""

    seconds: float = 10.0
    body: int = 256 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Target:
    """An address that was checked: where to connect, and under which name."""

    host: str
    port: int
    path: str
    secure: bool
    at: str = ""

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


@dataclass(frozen=True)
class Network:
    """How names become addresses and addresses become connections; tests bring their own."""

    resolve: Callable[..., Any] = field(default=socket.getaddrinfo)
    dial: Callable[..., socket.socket] = field(default=socket.create_connection)


def check_address(url: str) -> None:
    """That such an address may be named at all; its name is not resolved. Raises AddressRefused."""
    target = _parsed(url)
    literal = _literal(target.host)
    if literal is not None and not _may_reach(literal, target):
        raise AddressRefused()


def check_machine(host: str, port: int) -> None:
    """As `check_address`, for a machine that speaks something else than HTTP."""
    literal = _literal(host)
    target = Target(host, port, "", secure=False)
    if not _NAME.fullmatch(host) and literal is None:
        raise AddressRefused()
    if literal is not None and not _may_reach(literal, target):
        raise AddressRefused()


def machine(host: str, port: int, network: Network = Network()) -> Target:
    """Where to connect for it: `at`, resolved once. Raises AddressRefused, NotReached."""
    check_machine(host, port)
    return resolved(Target(host, port, "", secure=False), network)


def request(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    limits: Limits = Limits(),
    network: Network = Network(),
) -> Answer:
    """Ask once. Raises AddressRefused before anything is sent, or NotReached."""
    target = resolved(_parsed(url), network)
    connection = _Pinned(target, network, limits.seconds)
    given = {"Host": target.authority, "User-Agent": "imaging-sharing-portal"} | dict(headers or {})
    end = Timer(limits.seconds, connection.cut)
    end.daemon = True
    end.start()
    try:
        connection.request(method, target.path, body=body or None, headers=given)
        return _answer(connection.getresponse(), limits)
    except (OSError, HTTPException, ValueError) as error:
        raise NotReached() from error
    finally:
        end.cancel()
        connection.close()


def resolved(target: Target, network: Network) -> Target:
    """The same with the address to connect to. One forbidden address forbids the name."""
    try:
        found = network.resolve(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotReached() from error
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not addresses or not all(_may_reach(address, target) for address in addresses):
        raise AddressRefused()
    return Target(target.host, target.port, target.path, target.secure, str(addresses[0]))


def _parsed(url: str) -> Target:
    """Only what has one reading for every parser. Raises AddressRefused."""
    if len(url) > LONGEST or not _PLAIN.fullmatch(url) or "\\" in url:
        raise AddressRefused()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused() from None
    host = _host_of(parts)
    secure = parts.scheme == "https"
    target = Target(host, port or (443 if secure else 80), _path_of(parts), secure)
    if port == 0 or parts.scheme not in ("https", "http"):
        raise AddressRefused()
    if not secure and not _is_allowed_by_name(target):
        raise AddressRefused()
    return target


def _host_of(parts: SplitResult) -> str:
    """A name with a dot, or an address as `ipaddress` writes it itself."""
    host = parts.hostname or ""
    if "@" in parts.netloc or "#" in parts.geturl() or "%" in parts.netloc:
        raise AddressRefused()
    if not _NAME.fullmatch(host) and _literal(host) is None:
        raise AddressRefused()
    return host


def _path_of(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _literal(host: str) -> Address | None:
    """The address that a host is written as, in its one canonical form."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return address if str(address) == host else None


def _may_reach(address: Address, target: Target) -> bool:
    """A public address of one machine, or what the operator allowed."""
    if any(address in network for network in _allowed()[1]) or _is_allowed_by_name(target):
        return True
    if any(address in network for network in _NEVER):
        return False
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address.is_site_local
    ):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_allowed_by_name(target: Target) -> bool:
    return f"{target.host}:{target.port}" in _allowed()[0]


def _allowed() -> tuple[frozenset[str], tuple[Any, ...]]:
    return _read(tuple(settings.OUTGOING_ALLOWED))


@lru_cache(maxsize=8)
def _read(allowed: Iterable[str]) -> tuple[frozenset[str], tuple[Any, ...]]:
    """`host:port` pairs, which plain HTTP may reach too, and networks (`10.20.0.0/16`)."""
    networks = tuple(ipaddress.ip_network(each) for each in allowed if "/" in each)
    return frozenset(each for each in allowed if "/" not in each), networks


class _Pinned(HTTPConnection):
    """Connects to the checked address; the certificate must be of the name."""

    def __init__(self, target: Target, network: Network, seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=seconds)
        self._target, self._network = target, network
        self._is_cut = False

    def connect(self) -> None:
        """To where the name pointed when it was checked, and nowhere else."""
        plain = self._network.dial((self._target.at, self._target.port), self.timeout)
        self.sock = plain
        if self._target.secure:
            self.sock = _context().wrap_socket(plain, server_hostname=self._target.host)
        if self._is_cut:
            self.cut()

    def cut(self) -> None:
        """The time is over, however busily the other side drips."""
        self._is_cut = True
        try:
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _answer(response: HTTPResponse, limits: Limits) -> Answer:
    body = response.read(limits.body + 1)
    if len(body) > limits.body:
        raise NotReached()
    return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, body)
