"""A chest, drawn as tissues: lungs with their vessels, the heart and great vessels, bones.

The origin lies in front of the spine at the level of the carina; z runs from the upper abdomen
(-150 mm) to the lung apices (+140 mm). Arms are raised and out of the picture.
"""

from collections.abc import Iterator
from functools import cache
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from sharing.demo.volumes.canvas import (
    Canvas,
    Field,
    Point,
    capsule_distance,
    coverage,
    ellipsoid_distance,
    smooth_union,
)

CT = {  # Hounsfield units, contrast in the vessels
    "air": -1000.0, "skin": 30.0, "fat": -100.0, "muscle": 55.0, "gland": 15.0, "lung": -865.0,
    "vessel": 150.0, "blood": 210.0, "myocardium": 95.0, "bone": 780.0, "marrow": 240.0,
    "disc": 80.0, "cord": 35.0, "cartilage": 120.0, "liver": 105.0, "spleen": 120.0,
    "stomach": 25.0, "wall": 45.0, "nodule": 42.0, "table": -350.0, "node": 40.0,
}  # fmt: skip
SIDES = (-1.0, 1.0)
NODULE: Point = (-78.0, -22.0, 42.0)

Branch = tuple[Point, Point, float]


def body_distance(x: Field, y: Field, z: Field) -> Field:
    """Signed distance in mm to the skin: an oval, flatter behind."""
    levels = [-150.0, -60.0, 40.0, 100.0, 150.0]
    half = np.interp(z, levels, [150.0, 158.0, 166.0, 158.0, 128.0]).astype(np.float32)
    deep = np.interp(z, levels, [104.0, 108.0, 108.0, 100.0, 94.0]).astype(np.float32)
    # The furrow over the spine.
    deep = deep + 4.0 - 5.0 * np.exp(-((x / 16.0) ** 2)) * (y > 0)
    k0 = ((np.abs(x) / half) ** 2.4 + (np.abs(y - 5.0) / deep) ** 2.4) ** (1 / 2.4)
    return ((k0 - 1.0) * np.minimum(deep, 130.0)).astype(np.float32)


def cage_distance(x: Field, y: Field, z: Field) -> Field:
    """Signed distance in mm to the inside of the ribs, closing over the apices."""
    top = np.clip((z + 30.0) / 168.0, 0.0, 0.999)
    close = np.sqrt(1.0 - top**2.6)
    half, deep = 126.0 * close + 4.0, 86.0 * close + 4.0
    k0 = np.sqrt((x / half) ** 2 + ((y + 4.0) / deep) ** 2)
    k1 = np.sqrt((x / half**2) ** 2 + ((y + 4.0) / deep**2) ** 2)
    return k0 * (k0 - 1.0) / np.maximum(k1, 1e-6)


def diaphragm(x: Field, y: Field) -> Field:
    """Height in mm of the diaphragm: two domes, deep gutters behind and at the sides."""
    right = -74.0 - ((x + 62.0) / 62.0) ** 2 * 26.0
    left = -86.0 - ((x - 64.0) / 62.0) ** 2 * 26.0
    middle = -100.0 - (x / 60.0) ** 2 * 10.0
    dome = np.maximum(np.maximum(right, left), middle)
    return dome - np.clip((y + 5.0) / 75.0, -1.0, 1.2) ** 2 * 34.0


def mediastinum_distance(x: Field, y: Field, z: Field) -> Field:
    """Signed distance in mm to what lies between the lungs."""
    column = ellipsoid_distance(x, y, z, (0.0, 4.0, 30.0), (26.0, 62.0, 190.0))
    spine = np.sqrt((x / 1.35) ** 2 + (y - 66.0) ** 2) - 23.0
    heart = ellipsoid_distance(x, y, z, (18.0, -34.0, -62.0), (58.0, 45.0, 54.0))
    aorta = capsule_distance(x, y, z, (19.0, 38.0, 34.0), (19.0, 44.0, -160.0)) - 14.0
    arch = capsule_distance(x, y, z, (2.0, -14.0, 40.0), (19.0, 34.0, 40.0)) - 14.0
    hila = capsule_distance(x, y, z, (-40.0, 10.0, -12.0), (40.0, 14.0, -8.0)) - 13.0
    out = smooth_union(column, spine, 10.0)
    for part in (heart, np.minimum(aorta, arch), hila):
        out = smooth_union(out, part, 8.0)
    return out


def lung_distance(x: Field, y: Field, z: Field) -> Field:
    """Signed distance in mm to the two lungs."""
    out = np.maximum(cage_distance(x, y, z) + 2.0, -mediastinum_distance(x, y, z))
    return np.maximum(out, 0.85 * (diaphragm(x, y) - z))


@cache
def vessels() -> tuple[Branch, ...]:
    """The pulmonary trees as rods (start, end, radius in mm), the same every time."""
    rng = np.random.default_rng(20261112)
    start, heading = _hila(rng)
    radius = np.full(len(start), 3.7)
    out: list[Branch] = []
    for order in range(9):
        length = max(30.0 - 3.2 * order, 8.0) * rng.uniform(0.6, 1.2, len(start))
        end = start + heading * length[:, None]
        # A branch that would leave the lung is cut short; if that is not enough, it ends.
        end = np.where(_inside(end)[:, None], end, start + 0.45 * (end - start))
        kept = (radius > 0.45) & (_inside(end) if order else True)
        start, end, heading, radius = start[kept], end[kept], heading[kept], radius[kept]
        out += zip(map(tuple, start.tolist()), map(tuple, end.tolist()), radius, strict=True)
        start, heading, radius = _fork(rng, end, heading, radius)
    return tuple(out)


def _hila(rng: np.random.Generator) -> tuple[Field, Field]:
    """Where the first branches begin, and where they head."""
    side = np.repeat(SIDES, 20)
    lobe = np.tile(np.arange(20), 2)
    turn = 2 * pi * lobe / 20 + rng.uniform(-0.2, 0.2, 40)
    rise = np.array([0.9, 0.1, -0.8, -1.7])[lobe % 4] + rng.uniform(-0.25, 0.25, 40)
    heading = np.stack([side * (0.75 + 0.3 * np.cos(turn)), 0.9 * np.sin(turn), rise], axis=1)
    start = np.stack([side * 36.0, 10.0 + 6.0 * np.sin(turn), -10.0 + 14.0 * rise], axis=1)
    return start, heading / np.linalg.norm(heading, axis=1, keepdims=True)


def _fork(
    rng: np.random.Generator, end: Field, heading: Field, radius: Field
) -> tuple[Field, Field, Field]:
    """Two children for each branch: a thicker one goes on, a thinner one turns away."""
    swerve = rng.standard_normal(heading.shape)
    child = np.concatenate([heading + 0.34 * swerve, heading - 0.5 * swerve])
    child /= np.linalg.norm(child, axis=1, keepdims=True)
    return np.concatenate([end, end]), child, np.concatenate([radius * 0.86, radius * 0.72])


def _inside(points: Field) -> NDArray[np.bool_]:
    return np.less(lung_distance(*points.astype(np.float32).T), -2.5)


def ribs() -> Iterator[tuple[int, list[Point], list[Point]]]:
    """Number, bony part and cartilage of each rib of one side (x positive), back to front."""
    for number in range(1, 13):
        head = 128.0 - 22.5 * (number - 1)
        drop = 26.0 + 5.5 * min(number, 8)
        last = (118, 140, 146, 148, 146, 142, 138, 132, 124, 112, 88, 62)[number - 1]
        bone = [_on_cage(angle, head, drop) for angle in range(14, last, 7)]
        gristle = [] if number > 9 else [_on_cage(a, head, drop) for a in range(last - 4, 172, 8)]
        yield number, bone, gristle


def _on_cage(degrees: float, head: float, drop: float) -> Point:
    angle = degrees * pi / 180
    level = head - drop * (1.0 - cos(angle)) / 1.25
    top = min(max((level + 30.0) / 168.0, 0.0), 0.995)
    close = (1.0 - top**2.6) ** 0.5
    x = (131.0 * close + 5.0) * sin(angle) ** 0.85
    return (x, -4.0 + (92.0 * close + 5.0) * cos(angle), level)


def paint_chest(canvas: Canvas, *, nodule: bool = True) -> None:
    """Paint the whole chest from the skin inwards."""
    x, y, z = canvas.points(canvas.whole)
    body = body_distance(x, y, z)
    cage = cage_distance(x, y, z)
    _paint_wall(canvas, body, cage)
    lung = lung_distance(x, y, z)
    _paint_abdomen(canvas, cage)
    canvas.paint("lung", coverage(lung, 1.6))
    _paint_lung(canvas, lung)
    _paint_middle(canvas)
    _paint_bones(canvas)
    if nodule:
        canvas.ellipsoid("nodule", NODULE, (4.3, 4.0, 4.2))
        for turn in range(6):
            tip = (NODULE[0] + 8 * cos(turn), NODULE[1] + 8 * sin(turn), NODULE[2])
            canvas.capsule("nodule", NODULE, tip, 0.45)


def _paint_wall(canvas: Canvas, body: Field, cage: Field) -> None:
    x, y, z = canvas.points(canvas.whole)
    canvas.paint("skin", coverage(body))
    canvas.paint("fat", coverage(body + 2.0))
    shoulder = np.clip(z - 60.0, 0.0, 60.0)
    flesh = np.maximum(body + 13.0 + 5.0 * np.cos(x / 40.0), cage - 19.0 - 0.9 * shoulder)
    canvas.paint("muscle", coverage(flesh))
    # Layers of muscle are told apart by thin planes of fat.
    wave = 2.5 * np.sin(np.arctan2(y, x) * 5.0)
    plane = np.minimum(np.abs(cage - 12.5 - wave), np.abs(cage - 27.0 - 2 * wave)) - 0.9
    canvas.paint("fat", coverage(np.maximum(plane, flesh + 2.0)))
    canvas.paint("muscle", coverage(cage - 7.0))
    canvas.paint("fat", coverage(cage - 0.5))
    for side in SIDES:
        for centre, radii in (
            ((side * 26.0, 92.0, 0.0), (24.0, 15.0, 400.0)),
            ((side * 70.0, -88.0, 62.0), (54.0, 15.0, 62.0)),
            ((side * 134.0, 44.0, 60.0), (22.0, 46.0, 100.0)),
        ):
            belly = ellipsoid_distance(x, y, z, centre, radii)
            canvas.paint("muscle", coverage(np.maximum(belly, body + 8.0), 2.0))
        canvas.ellipsoid("skin", (side * 74.0, -100.0, -36.0), (58.0, 34.0, 52.0))
        canvas.ellipsoid("fat", (side * 74.0, -100.0, -36.0), (56.0, 32.0, 50.0))
        for lobe in range(9):
            at = (side * (56 + 5 * lobe), -104.0 - 9 * sin(lobe * 2.1), -36 + 24 * cos(lobe * 1.7))
            canvas.ellipsoid("gland", at, (9.0, 7.0, 16.0), edge=4.0, share=0.8)


def _paint_abdomen(canvas: Canvas, cage: Field) -> None:
    window = canvas.window((-140.0, -100.0, -200.0), (140.0, 100.0, -60.0))
    if window is None:
        return
    x, y, z = canvas.points(window)
    under = np.maximum(cage[window] + 2.5, z - diaphragm(x, y) + 1.5)
    right = smooth_union(
        ellipsoid_distance(x, y, z, (-58.0, 0.0, -140.0), (76.0, 82.0, 74.0)),
        ellipsoid_distance(x, y, z, (10.0, -40.0, -140.0), (62.0, 38.0, 46.0)),
        10.0,
    )
    spleen = ellipsoid_distance(x, y, z, (88.0, 34.0, -142.0), (34.0, 44.0, 50.0))
    stomach = ellipsoid_distance(x, y, z, (58.0, -26.0, -142.0), (36.0, 36.0, 48.0))
    bubble = np.maximum(stomach + 4.0, y + 22.0)
    organs = (("spleen", spleen), ("wall", stomach), ("stomach", stomach + 4.0), ("air", bubble))
    for tissue, shape in (*organs, ("liver", right)):
        canvas.paint(tissue, coverage(np.maximum(shape, under), 1.5), window)
    canvas.paint("muscle", coverage(np.abs(under) - 1.3), window)


def _paint_lung(canvas: Canvas, lung: Field) -> None:
    x, y, z = canvas.points(canvas.whole)
    # The lung is denser where the lying body weighs on it; the oblique fissures are hair lines.
    canvas.paint("wall", coverage(lung + 2.0) * np.clip((y + 60.0) / 150.0, 0.0, 1.0) * 0.05)
    fissure = np.abs(z + 18.0 + 0.95 * (y - 4.0) + (np.abs(x) - 75.0) ** 2 / 260.0) - 0.5
    canvas.paint("node", coverage(np.maximum(fissure, lung + 1.0)) * 0.2)
    low, high = float(z.min()) - 9.0, float(z.max()) + 9.0
    for start, end, radius in vessels():
        if min(start[2], end[2]) < high and max(start[2], end[2]) > low:
            _paint_vessel(canvas, start, end, radius)


def _paint_vessel(canvas: Canvas, start: Point, end: Point, radius: float) -> None:
    # A slice is thick: a vessel up to 2 mm above or below still shows, so z is foreshortened.
    low = [min(a, b) - radius for a, b in zip(start, end, strict=True)]
    high = [max(a, b) + radius for a, b in zip(start, end, strict=True)]
    window = canvas.window((low[0], low[1], low[2] - 3.0), (high[0], high[1], high[2] + 3.0))
    if window is None:
        return
    x, y, z = canvas.points(window)
    flat_start, flat_end = (start[0], start[1], start[2] * 0.55), (end[0], end[1], end[2] * 0.55)
    distance = capsule_distance(x, y, z * 0.55, flat_start, flat_end) - radius
    canvas.paint("vessel", coverage(distance, 1.3) * min(1.0, 0.35 + radius * 0.45), window)


def _paint_middle(canvas: Canvas) -> None:
    _paint_heart(canvas)
    blood = "blood"
    canvas.path(blood, [(-8.0, -22.0, -26.0), (-14.0, -22.0, 10.0), (-6.0, -16.0, 36.0)], 15.5)
    canvas.path(blood, [(-6.0, -16.0, 38.0), (6.0, 8.0, 46.0), (19.0, 34.0, 36.0)], 12.5)
    canvas.path(blood, [(19.0, 36.0, 36.0), (18.0, 44.0, -40.0), (12.0, 46.0, -170.0)], 11.5)
    for low, top in (((-6.0, -6.0), (-16.0, 0.0)), ((4.0, 2.0), (6.0, 4.0)), ((14, 16), (22, 12))):
        canvas.path(blood, [(*low, 48.0), (*top, 150.0)], 4.6)
    canvas.path(blood, [(18.0, -34.0, -24.0), (16.0, -16.0, -2.0)], 13.0)
    canvas.path(blood, [(16.0, -14.0, -4.0), (-10.0, 0.0, -10.0), (-38.0, 8.0, -12.0)], 9.5)
    canvas.path(blood, [(16.0, -12.0, 0.0), (38.0, 12.0, -4.0)], 10.0)
    canvas.path(blood, [(-27.0, -12.0, -34.0), (-26.0, -12.0, 60.0), (-22.0, -10.0, 120.0)], 8.5)
    canvas.path("wall", [(4.0, 32.0, 150.0), (6.0, 34.0, -170.0)], 6.5)
    canvas.path("air", [(4.0, 31.5, 150.0), (5.0, 33.0, -40.0)], 1.4)
    canvas.ellipsoid("node", (-14.0, 2.0, 18.0), (4.5, 3.5, 6.0))
    _paint_airways(canvas)


def _paint_airways(canvas: Canvas) -> None:
    tree = [((0.0, 12.0, 150.0), (0.0, 14.0, 4.0), 8.6)]
    for side, low in ((-1.0, -14.0), (1.0, -18.0)):
        hilum = (side * 34.0, 20.0, low)
        tree.append(((0.0, 14.0, 3.0), hilum, 6.6))
        tree.append((hilum, (side * 48.0, 32.0, low - 40.0), 4.6))
        tree.append((hilum, (side * 56.0, 2.0, low + 22.0), 3.6))
        tree.append(((side * 48.0, 32.0, low - 40.0), (side * 62.0, 42.0, low - 66.0), 3.0))
        tree.append(((side * 48.0, 32.0, low - 40.0), (side * 72.0, 10.0, low - 56.0), 2.6))
    for tissue, more in (("wall", 1.5), ("air", 0.0)):
        for start, end, radius in tree:
            canvas.capsule(tissue, start, end, radius + more)


def _paint_heart(canvas: Canvas) -> None:
    canvas.ellipsoid("myocardium", (18.0, -34.0, -60.0), (54.0, 41.0, 50.0))
    canvas.ellipsoid("fat", (-12.0, -52.0, -40.0), (5.0, 4.0, 34.0), edge=3.0)
    canvas.ellipsoid("blood", (36.0, -30.0, -66.0), (25.0, 20.0, 30.0), edge=2.0)
    canvas.ellipsoid("blood", (8.0, -54.0, -62.0), (30.0, 15.0, 32.0), edge=2.0)
    canvas.ellipsoid("blood", (-24.0, -32.0, -58.0), (18.0, 20.0, 30.0), edge=2.0)
    canvas.ellipsoid("blood", (8.0, 2.0, -44.0), (31.0, 16.0, 22.0), edge=2.0)
    canvas.ellipsoid("myocardium", (48.0, -36.0, -66.0), (5.0, 4.0, 14.0), edge=3.0)


def _paint_bones(canvas: Canvas) -> None:
    for _number, bone, gristle in ribs():
        for side in SIDES:
            rib = [(side * x, y, z) for x, y, z in bone]
            canvas.path("bone", rib, 5.4)
            canvas.path("marrow", rib, 3.2)
            canvas.path("cartilage", [(side * x, y, z) for x, y, z in gristle], 5.0)
    _paint_spine(canvas)
    for tissue, less in (("bone", 0.0), ("marrow", 1.8)):
        canvas.ellipsoid(tissue, (0.0, -84.0, 92.0), (27.0 - less, 7.0 - less, 26.0))
        canvas.ellipsoid(tissue, (0.0, -91.0, 12.0), (18.0 - less, 6.5 - less, 72.0))
        for side in SIDES:
            _paint_shoulder(canvas, tissue, side, less)


def _paint_shoulder(canvas: Canvas, tissue: str, side: float, less: float) -> None:
    for start, end, radius in (
        ((92.0, 84.0, 20.0), (122.0, 58.0, 100.0), 3.6),
        ((78.0, 88.0, 100.0), (92.0, 84.0, 20.0), 3.6),
        ((84.0, 86.0, 60.0), (116.0, 64.0, 70.0), 3.2),
        ((80.0, 88.0, 96.0), (124.0, 56.0, 112.0), 4.5),
        ((18.0, -78.0, 112.0), (90.0, -62.0, 132.0), 6.5),
    ):
        a, b = (side * start[0], *start[1:]), (side * end[0], *end[1:])
        canvas.capsule(tissue, a, b, radius - less)


def _paint_spine(canvas: Canvas) -> None:
    canvas.path("disc", [(0.0, 62.0, 160.0), (0.0, 62.0, -170.0)], 15.0)
    for level in range(14):
        z = 139.0 - 22.5 * level
        for tissue, less in (("bone", 0.0), ("marrow", 1.7)):
            canvas.ellipsoid(tissue, (0.0, 62.0, z), (19.5 - less, 16.5 - less, 13.5 - less))
            for side in SIDES:
                wing = [(side * 11.0, 72.0, z + 3), (side * 15, 84, z + 2), (side * 34, 91, z)]
                canvas.path(tissue, wing, 4.8 - less)
                canvas.path(tissue, [(side * 12.0, 86.0, z), (0.0, 94.0, z - 4)], 4.2 - less)
            canvas.path(tissue, [(0.0, 93.0, z - 3.0), (0.0, 104.0, z - 12.0)], 4.0 - less)
    canvas.path("fat", [(0.0, 83.0, 160.0), (0.0, 83.0, -170.0)], 7.6)
    canvas.path("cord", [(0.0, 82.5, 160.0), (0.0, 82.5, -170.0)], 5.2)
