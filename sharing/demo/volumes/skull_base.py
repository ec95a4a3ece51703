"""The hard part of a head: face, orbits, sinuses and the floor of the skull."""

from math import cos, sin

from sharing.demo.volumes.canvas import Canvas

SIDES = (-1.0, 1.0)


def paint_face(canvas: Canvas) -> None:
    """Nose, cheeks, jaws and the bones of the face, before the skull is laid over them."""
    canvas.path("skin", [(0.0, -84.0, -24.0), (0.0, -94.0, -46.0)], 11.0)
    canvas.path("skin", [(0.0, -88.0, -28.0), (0.0, -102.0, -50.0)], 8.0)
    canvas.path("fat", [(0.0, -86.0, -26.0), (0.0, -98.0, -48.0)], 5.0)
    canvas.ellipsoid("bone", (0.0, -84.0, -24.0), (7.0, 7.0, 10.0))
    canvas.ellipsoid("bone", (0.0, -58.0, -68.0), (26.0, 30.0, 6.0))
    for side in SIDES:
        canvas.path("bone", [(side * 44.0, -66.0, -42.0), (side * 66.0, -30.0, -40.0)], 4.0)
        canvas.path("bone", [(side * 66.0, -30.0, -40.0), (side * 64.0, 0.0, -36.0)], 3.2)
        canvas.path("bone", [(side * 46.0, -68.0, -16.0), (side * 47.0, -60.0, -44.0)], 4.5)
        canvas.path("bone", [(side * 55.0, -4.0, -42.0), (side * 50.0, -10.0, -85.0)], 5.0)
        canvas.path("muscle", [(side * 62.0, -22.0, -46.0), (side * 57.0, -16.0, -85.0)], 8.0)
        canvas.path("muscle", [(side * 38.0, -16.0, -46.0), (side * 42.0, -12.0, -85.0)], 9.0)


def paint_skull_base(canvas: Canvas) -> None:
    """Orbits, air spaces and the bones between the brain's three floors."""
    canvas.path("bone", [(-46.0, -74.0, -10.0), (0.0, -82.0, -8.0), (46.0, -74.0, -10.0)], 6.0)
    for side in SIDES:
        _paint_petrous(canvas, side)
        canvas.path("bone", [(side * 62.0, -34.0, -12.0), (side * 14.0, -24.0, -13.0)], 3.6)
        _paint_orbit(canvas, side)
    _paint_clivus(canvas)
    _paint_sinuses(canvas)


def _paint_petrous(canvas: Canvas, side: float) -> None:
    canvas.path("bone", [(side * 60.0, 24.0, -30.0), (side * 38.0, 10.0, -31.0)], 9.5)
    canvas.path("bone", [(side * 38.0, 10.0, -31.0), (side * 15.0, -6.0, -34.0)], 7.0)
    canvas.ellipsoid("bone", (side * 60.0, 28.0, -44.0), (9.0, 13.0, 18.0))
    for step in range(26):
        # Mastoid cells: small air spaces, the same ones every time, set by the golden angle.
        turn, level = (step * 0.618) % 1.0, (step * 0.382) % 1.0
        cell = (side * (55.0 + 9.0 * turn), 19.0 + 18.0 * ((step * 0.27) % 1.0), -56.0 + 28 * level)
        canvas.ellipsoid("air", cell, (1.7, 2.0, 1.8))
    canvas.path("air", [(side * 74.0, 9.0, -31.0), (side * 52.0, 10.0, -31.0)], 3.0)
    canvas.ellipsoid("air", (side * 46.0, 9.0, -30.0), (3.5, 4.5, 5.0))
    canvas.path("csf", [(side * 30.0, 11.0, -30.0), (side * 20.0, 13.0, -30.0)], 2.2)
    for start, end in (((39.0, 4.0), (39.0, 12.0)), ((34.0, 8.0), (43.0, 10.0))):
        a, b = start, end
        canvas.path("csf", [(side * a[0], a[1], -30.0), (side * b[0], b[1], -30.0)], 0.9)


def _paint_orbit(canvas: Canvas, side: float) -> None:
    globe = (side * 33.0, -70.0, -27.0)
    canvas.ellipsoid("skin", globe, (17.0, 15.5, 15.5))
    for tissue, wider in (("bone", 2.0), ("fat", 0.0)):
        for depth in range(12):
            t = depth / 11.0
            centre = (side * (32.5 - 15.0 * t), -67.0 + 34.0 * t, -27.0 + 5.0 * t)
            size = 18.5 - 13.5 * t + wider
            canvas.ellipsoid(tissue, centre, (size, 6.5, size - 0.5))
    apex = (side * 18.0, -33.0, -22.0)
    for dx, dz in ((12.0, 0.0), (-12.0, 0.0), (0.0, 12.0), (0.0, -12.0)):
        far = (side * (32.0 + dx), -63.0, -27.0 + dz)
        canvas.path("muscle", [far, (side * (25.5 + dx * 0.8), -48.0, -24 + dz * 0.8), apex], 2.0)
    bend = (side * 25.0, -47.0, -24.0)
    canvas.path("nerve", [(side * 32.0, -60.0, -27.0), bend, (side * 12.0, -24.0, -17.0)], 1.9)
    canvas.ellipsoid("sclera", globe, (12.3, 12.3, 12.3))
    canvas.ellipsoid("vitreous", globe, (11.1, 11.1, 11.1))
    canvas.ellipsoid("lens", (side * 33.0, -78.0, -27.0), (4.4, 2.2, 4.4))


def _paint_clivus(canvas: Canvas) -> None:
    canvas.path("bone", [(0.0, -12.0, -24.0), (0.0, -3.0, -52.0)], 6.0)
    canvas.path("diploe", [(0.0, -12.0, -26.0), (0.0, -4.0, -50.0)], 3.8)
    canvas.ellipsoid("bone", (0.0, -26.0, -26.0), (17.0, 15.0, 10.0))
    canvas.path("bone", [(-11.0, -3.0, -15.0), (11.0, -3.0, -15.0)], 2.4)
    canvas.ellipsoid("nerve", (0.0, -11.0, -18.0), (6.5, 5.0, 4.0))
    for turn in range(12):
        angle = turn * 0.5236
        here = _ring(angle)
        canvas.capsule("bone", here, _ring(angle + 0.5236), 4.0)


def _ring(angle: float) -> tuple[float, float, float]:
    return (20.0 * sin(angle), 22.0 - 22.0 * cos(angle), -60.0 - 3.0 * cos(angle))


def _paint_sinuses(canvas: Canvas) -> None:
    canvas.ellipsoid("diploe", (0.0, -56.0, -30.0), (12.5, 27.0, 15.0))
    canvas.ellipsoid("mucosa", (0.0, -55.0, -52.0), (15.0, 32.0, 13.0))
    for side in SIDES:
        canvas.ellipsoid("air", (side * 9.0, -82.0, -7.0), (7.5, 3.4, 8.0))
        canvas.ellipsoid("air", (side * 7.6, -25.0, -27.0), (6.8, 11.0, 7.0))
        for row in range(5):
            wide = 5.3 + 0.5 * (row % 2)
            centre = (side * (6.4 - 0.3 * (row % 2)), -76.0 + 9.3 * row, -28.0 - 1.5 * (row % 3))
            canvas.ellipsoid("air", centre, (wide, 4.5, 11.0))
        _paint_maxillary_sinus(canvas, side)
        canvas.ellipsoid("air", (side * 4.6, -58.0, -50.0), (2.0, 30.0, 12.0))
        canvas.ellipsoid("air", (side * 9.0, -58.0, -58.0), (1.8, 26.0, 6.0))
    canvas.ellipsoid("air", (0.0, -18.0, -62.0), (11.0, 9.0, 22.0))
    canvas.path("bone", [(0.0, -84.0, -40.0), (0.0, -30.0, -46.0)], 1.0)


def _paint_maxillary_sinus(canvas: Canvas, side: float) -> None:
    # Three rounded corners make the triangle it is in axial slices.
    corners = ((24.0, -70.0, -55.0), (38.0, -62.0, -53.0), (27.0, -46.0, -53.0))
    for tissue, radius in (("bone", 10.6), ("mucosa", 9.2), ("air", 8.4)):
        for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
            a = (side * start[0], start[1], start[2])
            canvas.path(tissue, [a, (side * end[0], end[1], end[2])], radius)
        canvas.ellipsoid(tissue, (side * 29.5, -59.0, -54.0), (radius, radius, radius + 4.0))
