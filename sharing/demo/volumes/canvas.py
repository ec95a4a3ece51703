"""A canvas in patient space: shapes are painted as distances, antialiased, in several contrasts.

Axes are in millimetres, x to the patient's left, y to the back, z to the head (PS3.3 C.7.6.2).
Every shape touches only the window around it, so a slice costs what it shows.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Point = tuple[float, float, float]
Window = tuple[slice, slice, slice]


def coverage(distance: Field, width: float = 1.0) -> Field:
    """Share of a voxel inside a shape (0 to 1) from its signed distance in mm."""
    return np.clip(0.5 - distance / width, 0.0, 1.0)


def smooth_union(a: Field, b: Field, k: float) -> Field:
    """Union of two distances, the crease rounded over `k` mm."""
    h = np.clip(0.5 + 0.5 * (b - a) / k, 0.0, 1.0)
    return b + (a - b) * h - k * h * (1.0 - h)


def blur(image: Field, passes: int = 1) -> Field:
    """Binomial 1-2-1 smoothing of a 2-D image; edges are repeated."""
    for _ in range(passes):
        wide = np.pad(image, 1, mode="edge")
        tall = wide[:-2] + 2.0 * wide[1:-1] + wide[2:]
        image = (tall[:, :-2] + 2.0 * tall[:, 1:-1] + tall[:, 2:]) * np.float32(1 / 16)
    return image


def resize(image: Field, rows: int, columns: int) -> Field:
    """Bilinear resampling of a 2-D image."""
    low, part = _between(image.shape[0], rows)
    tall = image[low] + part[:, None] * (image[low + 1] - image[low])
    low, part = _between(image.shape[1], columns)
    return tall[:, low] + part * (tall[:, low + 1] - tall[:, low])


def _between(source: int, target: int) -> tuple[NDArray[np.intp], Field]:
    at = np.linspace(0.0, source - 1.0, target)
    low = np.minimum(at.astype(np.intp), source - 2)
    return low, (at - low).astype(np.float32)


def cloud(rng: np.random.Generator, rows: int, columns: int, slope: float = 1.6) -> Field:
    """Fractal noise, mean 0 and deviation 1, amplitude falling with frequency to the `slope`."""
    fy = np.fft.fftfreq(rows)[:, None] * rows
    fx = np.fft.rfftfreq(columns)[None, :] * columns
    spectrum = np.fft.rfft2(rng.standard_normal((rows, columns)))
    field = np.fft.irfft2(spectrum / np.maximum(np.hypot(fy, fx), 1.0) ** slope, (rows, columns))
    return ((field - field.mean()) / field.std()).astype(np.float32)


class Folds:
    """Labyrinth noise in 3-D: its zero level winds like sulci, about one fold per `wavelength`."""

    def __init__(self, seed: int, wavelength: float, size: int = 72, step: float = 3.0) -> None:
        rng = np.random.default_rng(seed)
        frequency = [np.fft.fftfreq(size, step)[:, None, None], np.fft.fftfreq(size, step)[:, None]]
        radius = np.sqrt(sum(f**2 for f in frequency) + np.fft.rfftfreq(size, step) ** 2)
        ring = np.exp(-(((radius * wavelength - 1.0) / 0.22) ** 2))
        field = np.fft.irfftn(
            np.fft.rfftn(rng.standard_normal((size,) * 3)) * ring, (size,) * 3, (0, 1, 2)
        )
        # Divided by its mean slope, the value is close to the distance in mm from the fold.
        slope = np.sqrt(sum(g**2 for g in np.gradient(field, step))).mean()
        self._field = (field / slope).astype(np.float32).ravel()
        self._size, self._step = size, step

    def at(self, x: Field, y: Field, z: Field) -> Field:
        """The value at points in mm; the noise repeats outside its cube."""
        n = self._size
        low, part = [], []
        for axis in (z, y, x):
            scaled = axis / self._step + n / 2
            floor = np.floor(scaled)
            low.append(floor.astype(np.int32) % n)
            part.append((scaled - floor).astype(np.float32))
        (i, j, k), (a, b, c) = low, part
        out = np.zeros(np.broadcast(x, y, z).shape, np.float32)
        for di, wi in ((0, 1 - a), (1, a)):
            for dj, wj in ((0, 1 - b), (1, b)):
                row = ((i + di) % n * n + (j + dj) % n) * n
                near, far = self._field[row + k], self._field[row + (k + 1) % n]
                out += wi * wj * (near + c * (far - near))
        return out


class Canvas:
    """A block of voxels painted in one or more contrasts (tissue name to value)."""

    def __init__(
        self, x: Field, y: Field, z: Field, contrasts: Sequence[Mapping[str, float]]
    ) -> None:
        self.axes = (z.astype(np.float32), y.astype(np.float32), x.astype(np.float32))
        self._bounds = [(float(axis.min()), float(axis.max())) for axis in self.axes]
        self.contrasts = contrasts
        shape = (len(z), len(y), len(x))
        self.images = [np.full(shape, table["air"], np.float32) for table in contrasts]
        self.whole: Window = (slice(None), slice(None), slice(None))

    def window(self, low: Point, high: Point, margin: float = 2.0) -> Window | None:
        """The voxels between two corners (x, y, z), or None where the block misses them."""
        for (first, last), a, b in zip(self._bounds, low[::-1], high[::-1], strict=True):
            if b + margin < first or a - margin > last:
                return None
        found = []
        for axis, a, b in zip(self.axes, low[::-1], high[::-1], strict=True):
            inside = np.flatnonzero((axis >= a - margin) & (axis <= b + margin))
            if not len(inside):
                return None
            found.append(slice(int(inside[0]), int(inside[-1]) + 1))
        return (found[0], found[1], found[2])

    def points(self, window: Window) -> tuple[Field, Field, Field]:
        """x, y, z of a window, shaped to broadcast as (z, y, x)."""
        z, y, x = (axis[part] for axis, part in zip(self.axes, window, strict=True))
        return x[None, None, :], y[None, :, None], z[:, None, None]

    def paint(self, tissue: str, share: Field, window: Window | None = None) -> None:
        """Lay a tissue over what is there, `share` of each voxel."""
        for image, table in zip(self.images, self.contrasts, strict=True):
            part = image[window or self.whole]
            part += (table[tissue] - part) * share

    def ellipsoid(
        self, tissue: str, centre: Point, radii: Point, *, edge: float = 1.2, share: float = 1.0
    ) -> None:
        """Paint an axis-aligned ellipsoid; centre and radii in mm."""
        low, high = _corners(centre, radii)
        window = self.window(low, high)
        if window is not None:
            distance = ellipsoid_distance(*self.points(window), centre, radii)
            self.paint(tissue, coverage(distance, edge) * share, window)

    def capsule(
        self, tissue: str, start: Point, end: Point, radius: float, *, edge: float = 1.2
    ) -> None:
        """Paint a rod with round ends; radius in mm."""
        low = (min(start[0], end[0]), min(start[1], end[1]), min(start[2], end[2]))
        high = (max(start[0], end[0]), max(start[1], end[1]), max(start[2], end[2]))
        window = self.window(low, high, radius + 2.0)
        if window is not None:
            distance = capsule_distance(*self.points(window), start, end) - radius
            self.paint(tissue, coverage(distance, edge), window)

    def path(self, tissue: str, points: Sequence[Point], radius: float) -> None:
        """Paint a rod along several points."""
        for start, end in pairwise(points):
            self.capsule(tissue, start, end, radius)


def _corners(centre: Point, radii: Point) -> tuple[Point, Point]:
    (x, y, z), (a, b, c) = centre, radii
    return (x - a, y - b, z - c), (x + a, y + b, z + c)


def ellipsoid_distance(x: Field, y: Field, z: Field, centre: Point, radii: Point) -> Field:
    """Signed distance in mm to an ellipsoid, exact near its surface."""
    unit = [(p - c) / r for p, c, r in zip((x, y, z), centre, radii, strict=True)]
    k0 = np.sqrt(unit[0] ** 2 + unit[1] ** 2 + unit[2] ** 2)
    steep = [u / r for u, r in zip(unit, radii, strict=True)]
    k1 = np.sqrt(steep[0] ** 2 + steep[1] ** 2 + steep[2] ** 2)
    return k0 * (k0 - 1.0) / np.maximum(k1, 1e-6)


def capsule_distance(x: Field, y: Field, z: Field, start: Point, end: Point) -> Field:
    """Distance in mm to the line between two points."""
    ax, ay, az = (e - s for s, e in zip(start, end, strict=True))
    px, py, pz = x - start[0], y - start[1], z - start[2]
    along = (px * ax + py * ay + pz * az) / max(ax * ax + ay * ay + az * az, 1e-6)
    t = np.clip(along, 0.0, 1.0)
    return np.sqrt((px - t * ax) ** 2 + (py - t * ay) ** 2 + (pz - t * az) ** 2)
