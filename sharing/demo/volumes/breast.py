"""A mammogram, one cranio-caudal view: fat, strands of gland, skin, vessels, a mass if asked."""

from math import cos, pi, sin

import numpy as np

from sharing.demo.volumes.canvas import Field, blur, cloud, resize

ROWS, COLUMNS = 1000, 760
SPACING = 0.2  # mm


def mammogram(seed: int, *, mass: bool = False) -> Field:
    """Grey 0 to 1, chest wall at the left edge, shape (ROWS, COLUMNS)."""
    rng = np.random.default_rng(seed)
    y = ((np.arange(ROWS) - ROWS / 2) * SPACING).astype(np.float32)[:, None]
    x = (np.arange(COLUMNS) * SPACING).astype(np.float32)[None, :]
    edge = _outline(x, y, rng)
    image = _fat(edge, rng)
    image += _gland(x, y, edge, rng)
    image += _strands(x, y, edge, rng)
    if mass:
        image += _mass(x, y, rng)
    image += 0.16 * np.exp(-((edge + 1.1) ** 2) / 0.9)
    image += 0.2 * np.exp(-(((x - 124.0) / 4.0) ** 2) - ((y - 2.0) / 5.0) ** 2)
    inside = np.clip(0.5 - edge / 0.3, 0.0, 1.0)
    grain = rng.standard_normal(image.shape).astype(np.float32)
    return np.clip(blur(image * inside + 0.012 * grain * (0.2 + inside)), 0.0, 1.0)


def _outline(x: Field, y: Field, rng: np.random.Generator) -> Field:
    """Signed distance in mm to the skin, about; a half oval a little fuller to one side."""
    wobble = 1.0 + 0.012 * np.sin(np.arctan2(y, x + 20.0) * 3.0 + rng.uniform(0, 6))
    unit = (
        np.sqrt((np.maximum(x, 0.0) / 122.0) ** 2 + ((y - 2.0 - 0.05 * x) / 84.0) ** 2.0) * wobble
    )
    return (unit - 1.0) * 90.0


def _fat(edge: Field, rng: np.random.Generator) -> Field:
    # Compressed flat, it is evenly thick but for the last two centimetres under the skin.
    thick = np.clip(-edge / 16.0, 0.0, 1.0) ** 0.5
    return 0.17 * thick + 0.012 * _texture(rng, 1.5) * thick


def _texture(rng: np.random.Generator, slope: float) -> Field:
    return resize(cloud(rng, ROWS // 2, COLUMNS // 2, slope), ROWS, COLUMNS)


def _gland(x: Field, y: Field, edge: Field, rng: np.random.Generator) -> Field:
    """The disc of gland behind the nipple, clotted and streaked towards it."""
    disc = ((x - 62.0) / 52.0) ** 2 + ((y + 4.0 - 0.04 * x) / 50.0) ** 2
    ragged = disc + 0.22 * _texture(rng, 1.7)
    body = 1.0 / (1.0 + np.exp((ragged - 0.72) * 5.0))
    angle = np.arctan2(y - 2.0, 132.0 - x)
    radius = np.hypot(y - 2.0, 132.0 - x)
    lanes = cloud(rng, 256, 256, 1.1)
    ring = np.clip((radius * 0.55).astype(int), 0, 255)
    ducts = lanes[ring, np.clip((angle * 95.0 + 128.0).astype(int), 0, 255)]
    clots = _texture(rng, 1.45)
    texture = 0.30 + 0.085 * clots + 0.06 * blur(ducts, 4)
    return body * np.clip(texture, 0.02, 0.7) * np.clip(-edge / 9.0, 0.0, 1.0)


def _strands(x: Field, y: Field, edge: Field, rng: np.random.Generator) -> Field:
    """Ligaments to the skin and a few veins, thin curved lines."""
    out = np.zeros(np.broadcast(x, y).shape, np.float32)
    for number in range(30):
        turn = rng.uniform(-1.35, 1.35)
        bow, phase = rng.uniform(3.0, 9.0), rng.uniform(0.0, 6.0)
        width = 0.9 if number % 6 == 0 else rng.uniform(0.3, 0.55)
        start = rng.uniform(5.0, 45.0)
        along = np.linspace(start, start + 55.0, 150)
        off = bow * np.sin(along / 19.0 + phase)
        column = (55.0 + along * cos(turn) - off * sin(turn)) / SPACING
        row = (along * sin(turn) + off * cos(turn)) / SPACING + ROWS / 2
        fade = np.minimum(np.linspace(0, 6, 150), np.linspace(5, 0, 150)).clip(0, 1)
        _stroke(out, row, column, fade * (0.09 if number % 6 == 0 else 0.05), width / SPACING)
    return out * np.clip(-edge / 4.0, 0.0, 1.0)


def _stroke(out: Field, rows: Field, columns: Field, weight: Field, width: float) -> None:
    """Draw a soft line through the points, each pixel as bright as its nearest point."""
    reach = int(2 * width) + 1
    for row, column, level in zip(rows, columns, weight, strict=True):
        r, c = int(row), int(column)
        if reach < r < ROWS - reach - 1 and reach < c < COLUMNS - reach - 1:
            dy = np.arange(r - reach, r + reach + 1)[:, None] - row
            dx = np.arange(c - reach, c + reach + 1)[None, :] - column
            spot = level * np.exp(-(dx**2 + dy**2) / width**2)
            part = out[r - reach : r + reach + 1, c - reach : c + reach + 1]
            np.maximum(part, spot, out=part)


def _mass(x: Field, y: Field, rng: np.random.Generator) -> Field:
    """A dense mass of 13 mm with fine spicules, and a cluster of calcifications beside it."""
    dx, dy = x - 52.0, y + 26.0
    radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    edge = 6.0 + 0.9 * np.sin(5 * angle + 1.0) + 0.6 * np.sin(9 * angle)
    out = 0.17 / (1.0 + np.exp(np.clip((radius - edge) * 1.2, -30.0, 30.0)))
    for ray in range(17):
        turn = 2 * pi * ray / 17 + rng.uniform(-0.1, 0.1)
        off = -dx * sin(turn) + dy * cos(turn)
        along = dx * cos(turn) + dy * sin(turn)
        reach = np.clip((rng.uniform(9.0, 17.0) - along) / 8.0, 0.0, 1.0) * (along > 3.0)
        out += 0.045 * np.exp(-((off / 0.36) ** 2)) * reach
    for _ in range(13):
        cx, cy = 64.0 + rng.normal(0, 2.4), -34.0 + rng.normal(0, 2.4)
        out += 0.42 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / rng.uniform(0.02, 0.06))
    return out
