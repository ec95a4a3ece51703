"""Chest radiographs: the chest of `chest.py` projected, thickness of tissue to grey."""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from math import hypot
from typing import Literal

import numpy as np

from sharing.demo.volumes import chest
from sharing.demo.volumes.canvas import Field, Point, blur, cloud, coverage, resize

SIZE = 820
SPACING = 0.44  # mm at the detector
TOP = 172.0  # z in mm of the first row

View = Literal["PA", "LATERAL"]


class Film:
    """A projection: water-equivalent thickness in mm, rows along -z, columns along x or y."""

    def __init__(self, view: View) -> None:
        self.view = view
        middle = 0.0 if view == "PA" else 6.0
        self.u = (middle + (np.arange(SIZE) - SIZE / 2 + 0.5) * SPACING).astype(np.float32)
        self.z = (TOP - np.arange(SIZE) * SPACING).astype(np.float32)
        self.thickness = np.zeros((SIZE, SIZE), np.float32)

    def flat(self, point: Point) -> Point:
        """Column and height of a point in mm, and its depth along the beam."""
        x, y, z = point
        return (x, z, y) if self.view == "PA" else (y, z, x)

    def window(self, points: Sequence[Point], radius: float) -> tuple[slice, slice]:
        """Rows and columns within `radius` mm of the points, as `flat` gives them."""
        u0, z0 = float(self.u[0]), TOP
        columns = [(p[0] - u0) / SPACING for p in points]
        rows = [(z0 - p[1]) / SPACING for p in points]
        more = radius / SPACING + 1.0
        return _span(rows, more), _span(columns, more)

    def rods(
        self, points: Sequence[Point], radius: float, *, marrow: float = 0.0, weight: float = 1.0
    ) -> None:
        """Add a bent rod, hollow by the share `marrow` of its radius."""
        bent = [self.flat(point) for point in points]
        rows, columns = self.window(bent, radius)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        u, z = self.u[columns][None, :], self.z[rows][:, None]
        outer = np.zeros((z.shape[0], u.shape[1]), np.float32)
        inner = np.zeros_like(outer)
        for start, end in pairwise(bent):
            square, slant = _segment(u, z, start, end)
            np.maximum(outer, slant * _chord(square, radius), out=outer)
            np.maximum(inner, slant * _chord(square, radius * marrow), out=inner)
        self.thickness[rows, columns] += weight * (outer - 0.85 * inner)

    def ball(self, centre: Point, radii: Point, weight: float) -> None:
        """Add an ellipsoid."""
        (u, z, _), (a, b, c) = self.flat(centre), self.flat(radii)
        square = ((self.u[None, :] - u) / a) ** 2 + ((self.z[:, None] - z) / b) ** 2
        self.thickness += weight * 2.0 * c * np.sqrt(np.maximum(1.0 - square, 0.0))


def _span(values: list[float], more: float) -> slice:
    return slice(max(int(min(values) - more), 0), min(int(max(values) + more) + 1, SIZE))


def _segment(u: Field, z: Field, start: Point, end: Point) -> tuple[Field, float]:
    """Squared distance to a segment on the film, and how much longer it is than it looks."""
    (a, b, depth), (c, d, far) = start, end
    length = max((c - a) ** 2 + (d - b) ** 2, 1e-6)
    t = np.clip(((u - a) * (c - a) + (z - b) * (d - b)) / length, 0.0, 1.0)
    square = (u - a - t * (c - a)) ** 2 + (z - b - t * (d - b)) ** 2
    return square, min(hypot(length**0.5, far - depth) / max(length**0.5, 0.3), 2.2)


def _chord(square: Field, radius: float) -> Field:
    return 2.0 * np.sqrt(np.maximum(radius**2 - square, 0.0))


@cache
def _film(view: View) -> Film:
    film = Film(view)
    film.thickness += _soft_tissue(film)
    film.ball((16.0, -34.0, -56.0), (52.0, 43.0, 50.0), 0.16)
    film.ball((26.0, -34.0, -70.0), (50.0, 40.0, 38.0), 0.16)
    film.ball((19.0, 24.0, 38.0), (14.0, 22.0, 15.0), 0.35)
    film.rods([(19.0, 38.0, 36.0), (16.0, 44.0, -120.0)], 12.0, weight=0.35)
    _add_ribs(film)
    _add_spine(film)
    if view == "PA":
        _add_shoulders(film)
    film.rods([(0.0, -84.0, 112.0), (0.0, -91.0, 60.0), (0.0, -92.0, -60.0)], 8.0, weight=0.25)
    _add_vessels(film)
    return film


def radiograph(view: View, seed: int, *, size: float = 1.0, nodule: bool = False) -> Field:
    """One view of the chest, 0 (air) to about 1 (spine), shape (SIZE, SIZE).

    `size` makes the person larger or smaller on the film.
    """
    film = Film(view)
    film.thickness = _film(view).thickness.copy()
    if nodule:
        film.ball(chest.NODULE, (6.0, 6.0, 6.0), 1.3)
    edge = int((1.0 - 1.0 / max(size, 1.0)) * SIZE / 2)
    film.thickness = resize(film.thickness[edge : SIZE - edge, edge : SIZE - edge], SIZE, SIZE)
    return _develop(film, np.random.default_rng(seed))


def _soft_tissue(film: Film) -> Field:
    """Thickness of flesh along the beam: the body less the air in the lungs."""
    coarse, step = 230, 10.0
    depth = np.arange(-165.0, 166.0, step, dtype=np.float32)
    u = np.linspace(film.u[0], film.u[-1], coarse, dtype=np.float32)[None, :, None]
    z = np.linspace(film.z[0], film.z[-1], coarse, dtype=np.float32)[:, None, None]
    x, y = (u, depth[None, None, :]) if film.view == "PA" else (depth[None, None, :], u)
    lung = coverage(chest.lung_distance(x, y, z), step).sum(-1) * step
    body = coverage(_standing(x, y, z), step).sum(-1) * step
    trachea = coverage(np.sqrt(x**2 + (y - 12.0) ** 2) - 9.0 + 0.0 * z, step) * (z > 4.0)
    total = body - 0.86 * lung - 0.9 * trachea.sum(-1) * step
    return resize(total.astype(np.float32), SIZE, SIZE)


def _standing(x: Field, y: Field, z: Field) -> Field:
    """Signed distance in mm to the skin of somebody standing: shoulders, neck, arms held away."""
    levels = [-200.0, -60.0, 40.0, 100.0, 132.0, 152.0, 175.0]
    half = np.interp(z, levels, [152, 156, 162, 176, 166, 92, 62]).astype(np.float32)
    deep = np.interp(z, levels, [106, 108, 104, 92, 78, 66, 60]).astype(np.float32)
    k0 = ((np.abs(x) / half) ** 2.3 + (np.abs(y - 8.0) / deep) ** 2.3) ** (1 / 2.3)
    return (k0 - 1.0) * np.minimum(half, deep)


def _add_ribs(film: Film) -> None:
    for number, bone, gristle in chest.ribs():
        for side in chest.SIDES:
            rib = [(side * x, y, z) for x, y, z in bone]
            film.rods(rib, 6.2, marrow=0.78, weight=1.35)
            if number < 8:
                film.rods([(side * x, y, z) for x, y, z in gristle], 5.0, weight=0.12)


def _add_spine(film: Film) -> None:
    flank, front = ((9.0, 62.0), (-9.0, 62.0)) if film.view == "PA" else ((0.0, 55.0), (0.0, 69.0))
    strength = 0.75 if film.view == "PA" else 1.1
    for level in range(16):
        z = 161.0 - 22.5 * level
        body = [(*flank, z), (*front, z)]
        film.rods(body, 10.2, marrow=0.86, weight=strength)
        film.rods(body, 9.4, weight=0.45 * strength)
        film.rods([(0.0, 88.0, z), (0.0, 104.0, z - 14.0)], 3.6, weight=0.7)
        for side in chest.SIDES:
            film.rods([(side * 14, 84, z), (side * 36, 91, z)], 4.2, marrow=0.6, weight=0.4)
            film.rods([(side * 12, 78, z + 2), (side * 12.5, 84, z + 3)], 3.4, weight=0.4)


def _add_shoulders(film: Film) -> None:
    clavicle = [(20.0, -76.0, 108.0), (52.0, -74.0, 117.0), (88.0, -50.0, 128.0), (134.0, -20, 132)]
    blade = [(118.0, 84.0, 118.0), (134.0, 82.0, 60.0), (126.0, 86.0, 4.0), (108.0, 88.0, 44.0)]
    for side in chest.SIDES:
        film.rods([(side * x, y, z) for x, y, z in clavicle], 6.0, marrow=0.72, weight=1.5)
        film.rods([(side * x, y, z) for x, y, z in blade], 4.0, marrow=0.5, weight=0.7)
        film.rods([(side * 152.0, 10.0, 116.0), (side * 168.0, 10.0, 30.0)], 11.5, marrow=0.7)
        film.ball((side * 150.0, 10.0, 120.0), (20.0, 20.0, 20.0), 0.55)


def _add_vessels(film: Film) -> None:
    trees = np.zeros_like(film.thickness)
    for start, end, radius in chest.vessels():
        a, b = film.flat(start), film.flat(end)
        rows, columns = film.window((a, b), radius)
        square, slant = _segment(film.u[columns][None, :], film.z[rows][:, None], a, b)
        part = trees[rows, columns]
        np.maximum(part, min(slant, 1.5) * _chord(square, radius * 0.85), out=part)
    film.thickness += 2.4 * trees


def _develop(film: Film, rng: np.random.Generator) -> Field:
    """Thickness to grey as a reading room expects it: logarithmic, edges lifted, a little grain."""
    # Scatter and the heel effect leave slow shading; quanta leave grain where little light came.
    shade = resize(cloud(rng, 205, 205, 2.0), SIZE, SIZE)
    grain = rng.standard_normal((SIZE, SIZE), dtype=np.float32)
    image = blur(film.thickness + 2.0 * shade + 2.2 * grain)
    coarse = resize(blur(resize(image, 82, 82), 3), SIZE, SIZE)
    white = 262.0 if film.view == "PA" else 340.0
    lifted = image + 0.6 * (image - coarse)
    return np.clip(lifted / white, 0.0, 1.4) ** 0.95
