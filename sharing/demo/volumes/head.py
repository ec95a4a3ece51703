"""One head, drawn as tissues; CT and MR are two ways of colouring it.

The origin lies between the thalami, the vertex at z = +78 mm, the hard palate near z = -70 mm.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from sharing.demo.volumes.canvas import (
    Canvas,
    Field,
    Folds,
    Point,
    coverage,
    ellipsoid_distance,
    smooth_union,
)
from sharing.demo.volumes.skull_base import paint_face, paint_skull_base

CT = {  # Hounsfield units
    "air": -1000.0, "fat": -90.0, "skin": 35.0, "muscle": 55.0, "bone": 1350.0, "diploe": 620.0,
    "csf": 6.0, "white": 28.0, "grey": 37.0, "deep": 38.0, "cerebellum": 35.0, "folia": 26.0,
    "stem": 31.0, "falx": 52.0, "blood": 69.0, "oedema": 17.0, "lesion": 24.0, "vitreous": 9.0,
    "lens": 85.0, "sclera": 45.0, "nerve": 35.0, "mucosa": 38.0, "calc": 190.0, "holder": -620.0,
}  # fmt: skip
T1 = {
    "air": 4.0, "fat": 880.0, "skin": 380.0, "muscle": 300.0, "bone": 40.0, "diploe": 420.0,
    "csf": 120.0, "white": 600.0, "grey": 430.0, "deep": 465.0, "cerebellum": 480.0,
    "folia": 330.0, "stem": 545.0, "falx": 240.0, "blood": 520.0, "oedema": 420.0,
    "lesion": 310.0, "vitreous": 140.0, "lens": 260.0, "sclera": 250.0, "nerve": 400.0,
    "mucosa": 330.0, "calc": 120.0, "holder": 0.0,
}  # fmt: skip
T2 = {
    "air": 4.0, "fat": 560.0, "skin": 220.0, "muscle": 150.0, "bone": 25.0, "diploe": 230.0,
    "csf": 960.0, "white": 300.0, "grey": 440.0, "deep": 345.0, "cerebellum": 400.0,
    "folia": 640.0, "stem": 320.0, "falx": 120.0, "blood": 200.0, "oedema": 690.0,
    "lesion": 780.0, "vitreous": 980.0, "lens": 90.0, "sclera": 120.0, "nerve": 300.0,
    "mucosa": 720.0, "calc": 60.0, "holder": 0.0,
}  # fmt: skip
FLAIR = T2 | {
    "csf": 70.0, "white": 320.0, "grey": 430.0, "deep": 395.0, "cerebellum": 400.0,
    "folia": 300.0, "vitreous": 80.0, "oedema": 800.0, "lesion": 690.0, "fat": 430.0,
    "stem": 335.0, "mucosa": 560.0,
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """Something in the brain that should not be there; radius and halo (oedema) in mm."""

    tissue: str
    centre: Point
    radius: float
    halo: float


@cache
def _gyri() -> Folds:
    return Folds(seed=1971, wavelength=21.0)


@cache
def _wander() -> Folds:
    return Folds(seed=314, wavelength=30.0)


def scalp_distance(x: Field, y: Field, z: Field) -> Field:
    """Signed distance in mm to the skin: an ellipsoid above the ears, a column below."""
    level = np.minimum(z, 0.0)
    heights = [-78.0, -62.0, -46.0, -30.0, -15.0, 0.0]
    half = np.interp(level, heights, [56.0, 62.0, 69.0, 73.0, 74.5, 75.0]).astype(np.float32)
    front = np.interp(level, heights, [88.0, 90.0, 90.0, 89.0, 92.0, 93.0]).astype(np.float32)
    back = np.interp(level, heights, [62.0, 68.0, 80.0, 90.0, 94.0, 95.0]).astype(np.float32)
    depth = np.where(y < 0, front, back)
    # A head is a little broader behind the ears than in front of them.
    half = half * (1.0 + 0.045 * np.tanh(y / 45.0))
    up = np.maximum(z, 0.0) / 79.0
    k0 = np.sqrt((x / half) ** 2 + (y / depth) ** 2 + up**2)
    k1 = np.sqrt((x / half**2) ** 2 + (y / depth**2) ** 2 + (up / 79.0) ** 2)
    return (k0 * (k0 - 1.0) / np.maximum(k1, 1e-6)).astype(np.float32)


def cavity_distance(x: Field, y: Field, z: Field, scalp: Field) -> Field:
    """Signed distance in mm to the inside of the skull: vault, temporal and posterior fossae."""
    # The floor of the frontal lobes rises over the orbits and sinks between them.
    roof = np.exp(-(((np.abs(x) - 33.0) / 15.0) ** 2)) * np.clip((-y - 22.0) / 20.0, 0.0, 1.0)
    vault = np.maximum(scalp + 13.0, 0.8 * (-17.5 + 11.0 * roof - z))
    temporal = ellipsoid_distance(np.abs(x), y, z, (40.0, -8.0, -17.0), (25.0, 33.0, 19.0))
    posterior = ellipsoid_distance(x, y, z, (0.0, 42.0, -25.0), (52.0, 42.0, 33.0))
    return smooth_union(smooth_union(vault, temporal, 6.0), posterior, 6.0)


def paint_head(canvas: Canvas, findings: tuple[Finding, ...] = ()) -> None:
    """Paint the whole head, outside to inside, then what is wrong with it."""
    x, y, z = canvas.points(canvas.whole)
    scalp = scalp_distance(x, y, z)
    _paint_soft_tissue(canvas, scalp)
    paint_face(canvas)
    cavity = cavity_distance(x, y, z, scalp)
    _paint_skull(canvas, cavity, z)
    _paint_brain(canvas, cavity, scalp)
    _paint_below_tentorium(canvas, cavity)
    _paint_deep(canvas)
    _paint_dura(canvas, cavity)
    paint_skull_base(canvas)
    for finding in findings:
        _paint_finding(canvas, finding, cavity)


def _paint_soft_tissue(canvas: Canvas, scalp: Field) -> None:
    x, y, z = canvas.points(canvas.whole)
    canvas.paint("skin", coverage(scalp))
    canvas.paint("fat", coverage(scalp + 1.8))
    # Neck, face and temporal muscles lie under the fat, below the ears.
    low = np.clip((6.0 - z) / 30.0, 0.0, 1.0)
    planes = _wander().at(x, y, z) if low.any() else np.float32(0.0)
    canvas.paint("muscle", coverage(scalp + 6.0) * low)
    canvas.paint("fat", coverage(scalp + 6.0) * low * coverage(np.abs(planes) - 0.7, 1.2) * 0.8)
    for side in (-1, 1):
        temporal = ellipsoid_distance(x, y, z, (side * 64.0, -26.0, -6.0), (14.0, 32.0, 38.0))
        canvas.paint("muscle", coverage(np.maximum(temporal, scalp + 3.4)))
        canvas.ellipsoid("skin", (side * 78.0, 16.0, -24.0), (5.0, 16.0, 26.0))
        canvas.ellipsoid("air", (side * 78.5, 10.0, -24.0), (2.5, 5.0, 10.0))


def _paint_skull(canvas: Canvas, cavity: Field, z: Field) -> None:
    thick = np.clip(5.2 + z / 60.0, 4.4, 6.6)
    canvas.paint("bone", coverage(cavity - thick))
    middle = np.abs(cavity - thick * 0.5) - (thick * 0.5 - 1.9)
    canvas.paint("diploe", coverage(middle, 1.4) * 0.85)


def _paint_brain(canvas: Canvas, cavity: Field, scalp: Field) -> None:
    x, y, z = canvas.points(canvas.whole)
    # Sulci open to the outside only, not to the floor of the skull.
    depth = np.maximum(-(cavity + 2.6), -(scalp + 15.6))
    # Folds are read on a sphere, so that they run inwards from the surface as sulci do.
    radius = np.sqrt(x**2 + (y * 0.86) ** 2 + (z * 1.05) ** 2) + 1e-3
    pull = (30.0 + 0.55 * radius) / radius
    # Only the outer 21 mm have folds; the noise is read there and nowhere else.
    fold = np.full(depth.shape, 9.0, np.float32)
    rind = (depth > -1.0) & (depth < 21.0)
    fold[rind] = np.abs(
        _gyri().at(*(np.broadcast_to(p, depth.shape)[rind] for p in (x * pull, y * pull, z * pull)))
    ) + np.maximum(depth[rind] - 17.0, 0.0)
    canvas.paint("csf", coverage(cavity))
    brain = coverage(cavity + 2.6)
    canvas.paint("white", brain)
    canvas.paint("grey", brain * coverage(np.minimum(depth - 3.2, fold - 3.9), 1.6))
    open_by = np.clip(1.35 - depth / 15.0, 0.0, 1.35)
    canvas.paint("csf", brain * coverage(fold - open_by, 1.4) * (open_by > 0.0))


def _paint_below_tentorium(canvas: Canvas, cavity: Field) -> None:
    window = canvas.window((-58.0, -6.0, -62.0), (58.0, 88.0, 12.0))
    if window is None:
        return
    x, y, z = canvas.points(window)
    roof = z - (-15.0 + 20.0 * np.exp(-((x / 24.0) ** 2)) * np.clip((70.0 - y) / 45.0, 0.0, 1.0))
    fossa = ellipsoid_distance(x, y, z, (0.0, 42.0, -25.0), (52.0, 42.0, 33.0))
    space = np.maximum(np.maximum(fossa, roof), cavity[window])
    canvas.paint("csf", coverage(space), window)
    lobe = ellipsoid_distance(np.abs(x), y, z, (23.0, 48.0, -27.0), (29.0, 33.0, 30.0))
    vermis = ellipsoid_distance(x, y, z, (0.0, 46.0, -20.0), (9.0, 24.0, 22.0))
    lobe = np.maximum(np.minimum(lobe, vermis), space + 1.6)
    canvas.paint("cerebellum", coverage(lobe), window)
    leaf = np.sin(lobe * 1.55 + 0.6 * _wander().at(x, y, z))
    canvas.paint("folia", coverage(lobe) * np.clip(leaf - 0.3, 0.0, 0.7) * (lobe > -13.0), window)
    canvas.paint("stem", coverage(np.maximum(lobe + 12.0, np.abs(x) - 40.0), 6.0) * 0.6, window)


def _paint_deep(canvas: Canvas) -> None:
    _paint_cisterns_and_stem(canvas)
    for side in (-1.0, 1.0):
        _paint_sylvian(canvas, side)
        canvas.ellipsoid("deep", (side * 25.0, -7.0, 4.0), (8.0, 20.0, 11.0), edge=2.0)
        canvas.ellipsoid("deep", (side * 13.5, -25.0, 10.0), (6.0, 11.0, 12.0), edge=2.0)
        canvas.ellipsoid("deep", (side * 11.5, 8.0, 5.0), (9.5, 15.0, 10.0), edge=2.0)
        _paint_lateral_ventricle(canvas, side)
    canvas.ellipsoid("csf", (0.0, 4.0, 0.0), (1.9, 14.0, 9.0))
    canvas.ellipsoid("calc", (0.0, 24.0, 3.0), (2.2, 2.6, 2.2))


def _paint_sylvian(canvas: Canvas, side: float) -> None:
    insula = [(side * 41.0, -20.0, -6.0), (side * 40.0, -4.0, 4.0), (side * 38.0, 12.0, 10.0)]
    canvas.path("grey", insula, 5.2)
    canvas.path("csf", insula, 1.8)
    for tissue, radius in (("grey", 3.6), ("csf", 1.4)):
        for z, y in ((-9.0, -19.0), (-3.0, -10.0), (3.0, -2.0), (8.0, 6.0), (12.0, 13.0)):
            bend = (side * 51.0, y + 6.0 + 0.3 * z, z)
            canvas.path(tissue, [(side * 41.0, y, z), bend, (side * 56.5, y + 5.0, z)], radius)


def _paint_lateral_ventricle(canvas: Canvas, side: float) -> None:
    horn = [(side * 11.0, -36.0, 8.0), (side * 7.0, -22.0, 13.0), (side * 5.0, -8.0, 17.0)]
    body = [(side * 5.0, -8.0, 18.0), (side * 9.0, 10.0, 22.0), (side * 17.0, 26.0, 17.0)]
    trigone = [(side * 17.0, 26.0, 16.0), (side * 25.0, 37.0, 6.0)]
    canvas.path("csf", horn, 4.2)
    canvas.path("csf", body, 5.2)
    canvas.path("csf", trigone, 6.4)
    canvas.path("csf", [(side * 25.0, 37.0, 5.0), (side * 20.0, 60.0, 3.0)], 3.0)
    canvas.path("csf", [(side * 28.0, 32.0, 0.0), (side * 31.0, 8.0, -15.0)], 2.4)
    canvas.path("calc", [(side * 20.5, 31.0, 11.0), (side * 24.5, 37.0, 5.0)], 2.0)
    canvas.path("falx", [(side * 9.0, 10.0, 19.0), (side * 18.0, 28.0, 13.0)], 1.6)


def _paint_cisterns_and_stem(canvas: Canvas) -> None:
    canvas.ellipsoid("csf", (0.0, -9.0, -14.0), (15.0, 12.0, 7.0), edge=3.0)
    canvas.path("csf", [(0.0, 8.0, -9.0), (0.0, 8.0, -62.0)], 17.5)
    canvas.path("csf", [(-17.0, 18.0, -5.0), (0.0, 27.0, -2.0), (17.0, 18.0, -5.0)], 3.4)
    for side in (-1.0, 1.0):
        canvas.path("stem", [(side * 6.0, 8.0, -8.0), (side * 11.0, -3.0, -8.0)], 6.5)
        canvas.path("stem", [(side * 9.0, 12.0, -27.0), (side * 24.0, 26.0, -28.0)], 6.5)
    canvas.path("stem", [(0.0, 13.0, -4.0), (0.0, 13.0, -16.0)], 10.5)
    canvas.ellipsoid("stem", (0.0, 6.0, -26.0), (17.0, 13.0, 14.0))
    canvas.path("stem", [(0.0, 11.0, -34.0), (0.0, 14.0, -80.0)], 8.0)
    canvas.path("csf", [(0.0, 19.0, -8.0), (0.0, 20.0, -18.0)], 1.2)
    canvas.ellipsoid("csf", (0.0, 25.0, -27.0), (9.0, 5.0, 9.0), edge=1.6)


def _paint_dura(canvas: Canvas, cavity: Field) -> None:
    x, y, z = canvas.points(canvas.whole)
    # The falx reaches down to the corpus callosum in front and behind, less between.
    callosum = 27.0 - (y / 58.0) ** 2 * 30.0
    edge = np.maximum(callosum - z, cavity)
    edge = np.maximum(edge, np.where(y > 40.0, 2.0 - z, -5.0 - z))
    bend = x - 0.8 * np.sin(y / 17.0) - 0.5 * np.sin(z / 11.0)
    ragged = np.abs(bend) - (2.0 + 0.7 * np.sin(y / 4.1 + z / 5.0))
    canvas.paint("grey", coverage(np.maximum(np.abs(bend) - 5.2, edge + 3.0), 1.6))
    canvas.paint("csf", coverage(np.maximum(ragged, edge + 1.0)))
    canvas.paint("falx", coverage(np.maximum(np.abs(bend) - 0.8, edge)))
    sinus = np.maximum(np.abs(bend) - 4.2 - 0.6 * cavity, cavity + 0.4)
    canvas.paint("falx", coverage(np.maximum(sinus, 10.0 - z + 0.0 * y)) * (y > -60.0))


def _paint_finding(canvas: Canvas, finding: Finding, cavity: Field) -> None:
    reach = finding.radius + finding.halo + 6.0
    low = tuple(c - reach for c in finding.centre)
    high = tuple(c + reach for c in finding.centre)
    window = canvas.window((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    if window is None:
        return
    x, y, z = canvas.points(window)
    dx, dy, dz = (p - c for p, c in zip((x, y, z), finding.centre, strict=True))
    lumpy = np.sqrt((dx * 1.15) ** 2 + (dy * 0.8) ** 2 + dz**2) + 0.5 * _wander().at(x, y, z)
    inside = coverage(cavity[window] + 3.0)
    halo = lumpy - finding.radius - finding.halo + 0.9 * np.abs(_gyri().at(x, y, z))
    canvas.paint("oedema", coverage(halo, 5.0) * inside * 0.9, window)
    canvas.paint(finding.tissue, coverage(lumpy - finding.radius, 2.0) * inside, window)
