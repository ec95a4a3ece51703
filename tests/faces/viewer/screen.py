"""What somebody sees and does at the viewer: its state, its pixels, its tools."""

import base64
import time
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
from django.urls import reverse
from playwright.sync_api import Page

PIXELS = """() => {
  const canvas = document.querySelector('#stage canvas');
  return canvas && canvas.toDataURL('image/png').split(',')[1];
}"""
SIZED = """([width, height]) => {
  const stage = document.getElementById('stage');
  Object.assign(stage.style, { width: `${width}px`, height: `${height}px` });
}"""
SIZE = """() => {
  const canvas = document.querySelector('#stage canvas');
  return [canvas.width, canvas.height];
}"""
STATE = "() => ({...document.getElementById('viewer')?.dataset})"


class Screen:
    """A page with the viewer, and a list of all that went wrong on it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def open(self, public_id: str, seconds: float = 60) -> "Screen":
        """Open the viewer and wait until the live picture is there."""
        self.page.goto(self.url + reverse("viewer:study", args=[public_id]))
        return self.wait(seconds, state="live")

    def state(self) -> dict[str, str]:
        """The data attributes of the viewer's root."""
        facts: dict[str, str] = self.page.evaluate(STATE)
        return facts

    def wait(self, seconds: float = 30, **wanted: str) -> "Screen":
        """Wait until the state has these values."""
        return self.until(
            lambda state: all(state.get(name) == value for name, value in wanted.items()),
            f"{wanted}",
            seconds,
        )

    def until(
        self, holds: Callable[[dict[str, str]], bool], what: str, seconds: float = 30
    ) -> "Screen":
        """Wait until this holds of the state. Polls: the CSP forbids evaluated strings."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if holds(self.state()):
                return self
            self.page.wait_for_timeout(50)
        raise AssertionError(f"not {what} in {seconds} s but {self.state()}, {self.complaints}")

    def sign_out(self) -> "Screen":
        """The session ends elsewhere; wait until the page knows it."""

        def is_blank(state: dict[str, str]) -> bool:
            self.page.context.clear_cookies()  # an answer on its way may bring the session again
            return state.get("state") == "blanked"

        return self.until(is_blank, "blanked")

    def pixels(self) -> Any:
        """The live picture as grey levels, float, (rows, columns)."""
        return self.colours().mean(axis=-1)

    def colours(self) -> Any:
        """The live picture, float, (rows, columns, 3)."""
        self.page.wait_for_timeout(150)
        raw = self.page.evaluate(PIXELS)
        assert raw, "there is no canvas"
        decoded = imagecodecs.png_decode(base64.b64decode(raw))
        return np.asarray(decoded)[..., :3].astype(float)

    def resize_stage(self, rows: int, columns: int) -> None:
        """Gives the picture so many pixels on the screen: one for each of the image's own."""
        self.page.evaluate(SIZED, [columns, rows])
        self.until(lambda _: self.page.evaluate(SIZE) == [columns, rows], "as large")
        self.page.wait_for_timeout(100)
