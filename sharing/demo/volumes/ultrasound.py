"""Ultrasound: speckle in a fan, first as the beams see it (depth by angle), then as a screen."""

from collections.abc import Callable
from math import cos, pi, radians, sin

import numpy as np

from sharing.demo.volumes.canvas import Field, blur, coverage

ROWS, COLUMNS = 420, 560
DEPTH = 160.0  # mm from the probe's face to the last echo
HALF_ANGLE = radians(39.0)
FACE = 14.0  # mm from the apex of the fan to the probe's face
SPACING = (DEPTH + 6.0) / ROWS  # mm per pixel
SAMPLES, BEAMS = 400, 180

Scene = Callable[[Field, Field, float], Field]


def cine(scene: Scene, frames: int, seed: int) -> np.ndarray:
    """Frames of one cycle, uint8 (frames, rows, columns). The scene gives echo strength in dB."""
    rng = np.random.default_rng(seed)
    across, down = _beam_grid()
    grain = _speckle(rng)
    out = []
    for frame in range(frames):
        phase = frame / frames
        echo = scene(across, down, phase)
        fresh = rng.standard_normal(echo.shape).astype(np.float32)
        moved = np.roll(grain, round(5.0 * sin(2 * pi * phase)), axis=0)
        out.append(_screen(blur(echo, 1) + moved + 1.2 * fresh))
    return np.stack(out)


def _beam_grid() -> tuple[Field, Field]:
    depth = np.linspace(0.0, DEPTH, SAMPLES, dtype=np.float32)[:, None] + FACE
    angle = np.linspace(-HALF_ANGLE, HALF_ANGLE, BEAMS, dtype=np.float32)[None, :]
    return depth * np.sin(angle), depth * np.cos(angle) - FACE


def _speckle(rng: np.random.Generator) -> Field:
    """Rayleigh speckle in dB, fine along the beam and coarse across it."""
    parts = []
    for _ in range(2):
        field = rng.standard_normal((SAMPLES, BEAMS)).astype(np.float32)
        field = blur(field, 1)
        for shift in (-1, 1):
            field = field + 0.6 * np.roll(field, shift, axis=1)
        parts.append(field)
    size = np.hypot(parts[0], parts[1])
    return np.maximum(20.0 * np.log10(size / size.mean() + 1e-3), -24.0) * 0.8


def _screen(level: Field) -> np.ndarray:
    """Scan conversion and compression to 8 bits; -8 to 52 dB is black to white."""
    y = (np.arange(ROWS, dtype=np.float32)[:, None] * SPACING) + FACE * cos(HALF_ANGLE) - 1.0
    x = (np.arange(COLUMNS, dtype=np.float32)[None, :] - COLUMNS / 2 + 0.5) * SPACING
    radius, angle = np.hypot(x, y), np.arctan2(x, y)
    row = (radius - FACE) / DEPTH * (SAMPLES - 1)
    beam = (angle / HALF_ANGLE + 1.0) / 2.0 * (BEAMS - 1)
    inside = (row >= 0) & (row <= SAMPLES - 1) & (beam >= 0) & (beam <= BEAMS - 1)
    r0 = np.clip(row.astype(int), 0, SAMPLES - 2)
    b0 = np.clip(beam.astype(int), 0, BEAMS - 2)
    fr, fb = np.clip(row - r0, 0, 1), np.clip(beam - b0, 0, 1)
    top = level[r0, b0] * (1 - fb) + level[r0, b0 + 1] * fb
    low = level[r0 + 1, b0] * (1 - fb) + level[r0 + 1, b0 + 1] * fb
    grey = (top * (1 - fr) + low * fr + 8.0) / 60.0
    return (np.clip(grey, 0.02, 1.0) * inside * 255.0).astype(np.uint8)


def _oval(x: Field, y: Field, cx: float, cy: float, rx: float, ry: float) -> Field:
    unit = np.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2)
    return (unit - 1.0) * min(rx, ry)


def _rod(x: Field, y: Field, a: tuple[float, float], b: tuple[float, float]) -> Field:
    ux, uy = b[0] - a[0], b[1] - a[1]
    t = np.clip(((x - a[0]) * ux + (y - a[1]) * uy) / (ux * ux + uy * uy), 0.0, 1.0)
    return np.hypot(x - a[0] - t * ux, y - a[1] - t * uy)


def _lay(echo: Field, distance: Field, level: float, edge: float = 2.0) -> Field:
    return echo + (level - echo) * coverage(distance, edge)


def heart(x: Field, y: Field, phase: float) -> Field:
    """Four chambers from the apex, one beat; echo strength in dB."""
    squeeze = 0.5 - 0.5 * cos(2 * pi * phase)
    small, full = 1.0 - 0.26 * squeeze, 1.0 + 0.16 * squeeze
    plane = 88.0 - 9.0 * squeeze
    echo = np.full(x.shape, 20.0, np.float32) + 4.0 * np.sin(x / 17.0) * np.cos(y / 13.0)
    echo = _lay(echo, _oval(x, y, -3.0, 76.0, 50.0, 72.0), 26.0, 5.0)
    echo = _lay(echo, np.abs(_oval(x, y, -3.0, 76.0, 51.0, 73.0)) - 1.2, 42.0)
    for cx, cy, rx, ry, level in (
        (17.0, plane - 36.0 * small, 23.0 * small, 41.0 * small, -4.0),
        (-26.0, plane - 28.0 * small, 17.0 * small, 33.0 * small, -3.0),
        (18.0, plane + 23.0 * full, 20.0 * full, 19.0 * full, -5.0),
        (-25.0, plane + 21.0 * full, 18.0 * full, 18.0 * full, -4.0),
    ):
        echo = _lay(echo, _oval(x, y, cx, cy, rx, ry), level, 3.0)
    echo = _valves(echo, x, y, plane, squeeze)
    # The septum between the atria is thin and lies along the beam: it drops out in part.
    echo = _lay(echo, _rod(x, y, (-4.0, plane + 2.0), (-3.0, plane + 40.0)) - 1.6, 24.0)
    return echo - 0.05 * y + 6.0 * np.exp(-y / 9.0)


def _valves(echo: Field, x: Field, y: Field, plane: float, squeeze: float) -> Field:
    swing = (1.0 - squeeze) * radians(62.0)
    for hinge, sign, length in (
        (2.0, 1, 15.0),
        (34.0, -1, 14.0),
        (-10.0, -1, 14.0),
        (-40.0, 1, 13.0),
    ):
        tip = (hinge + sign * length * cos(swing), plane - length * sin(swing) * 0.8)
        echo = _lay(echo, _rod(x, y, (hinge, plane), tip) - 1.0, 38.0)
    for node in (0.0, 36.0, -8.0, -42.0):
        echo = _lay(echo, _oval(x, y, node, plane, 3.0, 2.6), 40.0)
    return echo


def gallbladder(x: Field, y: Field, phase: float) -> Field:
    """Liver and gallbladder with one stone, a breath long; echo strength in dB."""
    y = y - 3.0 * sin(2 * pi * phase)
    echo = np.full(x.shape, 25.0, np.float32) + 2.0 * np.sin(x / 23.0 + y / 31.0)
    for a, b, width in (
        ((-70.0, 60.0), (-12.0, 44.0), 3.2),
        ((-12.0, 44.0), (22.0, 26.0), 2.4),
        ((-40.0, 52.0), (-52.0, 30.0), 2.0),
        ((-60.0, 96.0), (-20.0, 104.0), 5.0),
    ):
        vessel = _rod(x, y, a, b) - width
        echo = _lay(_lay(echo, vessel - 1.3, 33.0), vessel, 2.0)
    tilt_x, tilt_y = x * 0.86 + y * 0.5, -x * 0.5 + y * 0.86
    sac = _oval(tilt_x, tilt_y, 52.0, 56.0, 31.0, 14.0)
    behind = (np.abs(x - 16.0 - 0.14 * (y - 75.0)) < 22.0) & (y > 84.0)
    echo = echo + 7.0 * behind
    echo = _lay(_lay(echo, sac - 1.8, 38.0), sac, -6.0)
    echo = _lay(echo, np.abs(_oval(x, y, 8.0, 60.0, 118.0, 88.0)) - 1.6, 46.0)
    echo = _lay(echo, -_oval(x, y, 8.0, 60.0, 119.0, 90.0), 14.0)
    shadow = (np.abs(x / np.maximum(y + FACE, 1.0) - 0.255) < 0.052) & (y > 80.0)
    echo = np.where(shadow, echo - 26.0, echo)
    echo = _lay(echo, _oval(x, y, 24.5, 79.5, 6.0, 3.0), 48.0)
    return echo - 0.03 * y + 8.0 * np.exp(-y / 7.0)
