"""C-ECHO: whether an organization's system takes the portal's call, by DICOM's network protocol.

The address is somebody else's word, so it is held to the rule of all outgoing addresses and the
connection goes to the address that was checked. Nothing but the portal's name is said.
"""

from dataclasses import dataclass
from threading import Timer
from typing import Any

from sharing.kernel import outgoing
from sharing.kernel.errors import AddressRefused, NotReached
from sharing.tenants.devices import Device

from .rules import CALLER

SECONDS = 5.0
"""For each step: to connect, to be accepted, to be answered."""
IN_ALL = 12.0
VERIFICATION = "1.2.840.10008.1.1"
SUCCESS = 0x0000
NETWORK = outgoing.Network()


@dataclass(frozen=True)
class Heard:
    """What a system said, in words, and what to do where it did not answer."""

    said: str
    todo: str = ""

    @property
    def answered(self) -> bool:
        """Whether nothing is to be done."""
        return not self.todo


def echo(device: Device, network: outgoing.Network = NETWORK) -> Heard:
    """Ask once."""
    name = device.ae_title
    try:
        target = outgoing.machine(device.host, device.port, network)
    except AddressRefused:
        return Heard(f"{name}: the portal asks nothing of this address.", TODO_ADDRESS)
    except NotReached:
        return Heard(f"{name}: its name leads to no address.", TODO_NAME)
    link = _caller().associate(target.at, target.port, ae_title=name)
    end = Timer(IN_ALL, link.abort)
    end.daemon = True
    end.start()
    try:
        return _heard(link, device)
    finally:
        end.cancel()
        if link.is_established:
            link.release()


def _caller() -> Any:
    """Its library is loaded where somebody calls, and by no process that shows pages."""
    from pynetdicom import AE

    caller = AE(ae_title=CALLER)
    caller.add_requested_context(VERIFICATION)
    caller.connection_timeout = caller.acse_timeout = SECONDS
    caller.dimse_timeout = caller.network_timeout = SECONDS
    return caller


def _heard(link: Any, device: Device) -> Heard:
    name = device.ae_title
    if link.is_rejected:
        return Heard(f"{name} answers and does not accept the portal.", TODO_REJECTED)
    if not link.is_established:
        return Heard(f"{name}: nothing speaks DICOM at {device.place}.", TODO_SILENT)
    status = link.send_c_echo()
    if getattr(status, "Status", None) != SUCCESS:
        return Heard(f"{name} took the call and did not answer C-ECHO.", TODO_ECHO)
    return Heard(f"{name} answered at {device.place}.")


TODO_ADDRESS = "Give a public address under Devices, or let the operator allow yours."
TODO_NAME = "Check the name under Devices."
TODO_SILENT = "See that it is on and its port is open to the portal; check the port under Devices."
TODO_REJECTED = f"Enter {CALLER} in it as a calling AE title; check its own under Devices."
TODO_ECHO = f"Let it accept the Verification service ({VERIFICATION})."
