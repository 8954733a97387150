"""The pictures on covers: each draws into the upper part of a 300 x 450 poster, different for each title.

A motif takes a seeded random generator and a palette and answers SVG elements. Colours and sizes are
presentation attributes: a style attribute would fall to our content security policy.
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin
from random import Random

from catalog.covers.palettes import Palette

Motif = Callable[[Random, Palette], str]


def _circle(x: float, y: float, radius: float, fill: str, opacity: float = 1.0) -> str:
    return f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.1f}" fill="{fill}" opacity="{opacity:.2f}"/>'


def _ring(x: float, y: float, radius: float, stroke: str, width: float, opacity: float = 1.0) -> str:
    return (
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.1f}" fill="none" stroke="{stroke}" '
        f'stroke-width="{width:.1f}" opacity="{opacity:.2f}"/>'
    )


def _path(points: list[tuple[float, float]], fill: str, opacity: float = 1.0) -> str:
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
    return f'<polygon points="{line}" fill="{fill}" opacity="{opacity:.2f}"/>'


def sun(random: Random, colours: Palette) -> str:
    """A low sun, cut by bands that grow towards the horizon."""
    x, y, radius = random.uniform(110, 190), random.uniform(165, 200), random.uniform(84, 104)
    parts = [_circle(x, y, radius + 26, colours.form, 0.12), _circle(x, y, radius, colours.form)]
    top = y - radius * 0.1
    for step in range(6):
        height = 3 + step * 3
        parts.append(
            f'<rect x="0" y="{top:.0f}" width="300" height="{height}" fill="{colours.ground}" opacity="0.92"/>'
        )
        top += height + 17 - step * 1.6
    return "".join(parts)


def rays(random: Random, colours: Palette) -> str:
    """A burst from one point."""
    x, y = random.uniform(90, 210), random.uniform(140, 200)
    count = random.choice((14, 16, 18, 22))
    turn = random.uniform(0, pi)
    parts = []
    for step in range(count):
        start = turn + step * 2 * pi / count
        stop = start + pi / count * random.uniform(0.7, 1.15)
        parts.append(
            _path(
                [(x, y), (x + 430 * cos(start), y + 430 * sin(start)), (x + 430 * cos(stop), y + 430 * sin(stop))],
                colours.form,
                0.16 + 0.2 * (step % 3) / 2,
            )
        )
    radius = random.uniform(34, 52)
    return "".join(parts) + _circle(x, y, radius, colours.glow) + _circle(x, y, radius * 0.72, colours.form)


def orbits(random: Random, colours: Palette) -> str:
    """A planet, its paths, and stars."""
    x, y, radius = random.uniform(110, 190), random.uniform(140, 180), random.uniform(44, 66)
    parts = [
        _circle(random.uniform(8, 292), random.uniform(40, 300), random.choice((0.8, 1.1, 1.7)), colours.glow, 0.85)
        for _ in range(46)
    ]
    tilt = random.uniform(-32, 32)
    for step in range(4):
        width = radius * (1.5 + step * 0.62)
        parts.append(
            f'<ellipse cx="{x:.0f}" cy="{y:.0f}" rx="{width:.0f}" ry="{width * 0.34:.0f}" fill="none" '
            f'stroke="{colours.glow}" stroke-width="1.2" opacity="{0.6 - step * 0.12:.2f}" '
            f'transform="rotate({tilt:.0f} {x:.0f} {y:.0f})"/>'
        )
    parts.append(_circle(x, y, radius, colours.form))
    parts.append(_circle(x - radius * 0.22, y - radius * 0.2, radius * 0.74, colours.glow, 0.22))
    angle = random.uniform(0, 2 * pi)
    parts.append(_circle(x + radius * 2 * cos(angle), y + radius * 1.2 * sin(angle), radius * 0.2, colours.glow))
    return "".join(parts)


def peaks(random: Random, colours: Palette) -> str:
    """Ranges of mountains below a moon."""
    parts = [_circle(random.uniform(80, 220), random.uniform(96, 140), random.uniform(32, 50), colours.form)]
    shades = ((colours.glow, 0.28), (colours.form, 0.34), (colours.deep, 0.75))
    for layer, (shade, opacity) in enumerate(shades):
        base = 215 + layer * 42
        points: list[tuple[float, float]] = [(-10, 450)]
        x = -30.0
        up = bool(random.getrandbits(1))
        while x < 330:
            points.append((x, base - (random.uniform(46, 96) if up else random.uniform(-6, 22))))
            x += random.uniform(34, 68)
            up = not up
        parts.append(_path([*points, (330, 450)], shade, opacity))
    return "".join(parts)


def panels(random: Random, colours: Palette) -> str:
    """Armour: a field of hexagons with a few that are lit."""
    parts = []
    size = random.choice((24.0, 28.0, 32.0))
    step_x, step_y = size * 1.75, size * 1.52
    for row in range(int(330 / step_y) + 1):
        for column in range(int(320 / step_x) + 2):
            x = column * step_x + (row % 2) * step_x / 2 - size / 2
            y = row * step_y + 20
            points = [
                (x + size * 0.94 * cos(pi / 6 + corner * pi / 3), y + size * 0.94 * sin(pi / 6 + corner * pi / 3))
                for corner in range(6)
            ]
            chance = random.random()
            if chance < 0.12:
                parts.append(_path(points, colours.form, 0.95))
            elif chance < 0.24:
                parts.append(_path(points, colours.glow, 0.55))
            else:
                parts.append(_path(points, colours.glow, 0.05 + 0.1 * random.random()))
    return "".join(parts)


def rings(random: Random, colours: Palette) -> str:
    """Rings that are not quite concentric: one looks into them."""
    x, y = random.uniform(110, 190), random.uniform(150, 185)
    drift = random.uniform(-4, 4)
    parts = [
        _ring(
            x + drift * step, y - drift * step / 2, 18 + step * 19, colours.glow, 1.2 + step * 0.55, 0.7 - step * 0.06
        )
        for step in range(9)
    ]
    parts.append(_circle(x, y, random.uniform(20, 30), colours.form))
    return "".join(parts)


def petals(random: Random, colours: Palette) -> str:
    """A blossom, and petals that have left it."""
    x, y, count = random.uniform(110, 190), random.uniform(140, 180), random.choice((5, 6, 8))
    length, turn = random.uniform(86, 108), random.uniform(0, 60)
    petal = "M0,0 C{w},-{a} {w},-{b} 0,-{c} C-{w},-{b} -{w},-{a} 0,0Z".format(
        w=f"{length * 0.42:.0f}", a=f"{length * 0.3:.0f}", b=f"{length * 0.85:.0f}", c=f"{length:.0f}"
    )
    parts = [
        f'<path d="{petal}" fill="{colours.form}" opacity="0.6" '
        f'transform="translate({x:.0f} {y:.0f}) rotate({turn + step * 360 / count:.0f})"/>'
        for step in range(count)
    ]
    parts.append(_circle(x, y, length * 0.13, colours.glow))
    for _ in range(7):
        parts.append(
            f'<path d="{petal}" fill="{colours.glow}" opacity="{random.uniform(0.25, 0.7):.2f}" '
            f'transform="translate({random.uniform(10, 290):.0f} {random.uniform(50, 330):.0f}) '
            f'rotate({random.uniform(0, 360):.0f}) scale({random.uniform(0.12, 0.24):.2f})"/>'
        )
    return "".join(parts)


def bars(random: Random, colours: Palette) -> str:
    """A sound in bars."""
    parts = []
    for step in range(15):
        height = 30 + 190 * abs(sin(step * random.uniform(0.55, 0.62) + 0.6)) * random.uniform(0.55, 1)
        shade = colours.form if step % 4 else colours.glow
        parts.append(
            f'<rect x="{12 + step * 18.6:.0f}" y="{190 - height / 2:.0f}" width="10" height="{height:.0f}" rx="5" '
            f'fill="{shade}" opacity="0.92"/>'
        )
    return "".join(parts)


def slits(random: Random, colours: Palette) -> str:
    """Something red behind narrow gaps."""
    x, y = random.uniform(100, 200), random.uniform(150, 190)
    parts = [_circle(x, y, random.uniform(64, 88), colours.form)]
    left = -6.0
    while left < 306:
        width = random.uniform(4, 26)
        parts.append(
            f'<rect x="{left:.0f}" y="0" width="{width:.0f}" height="450" fill="{colours.deep}" opacity="0.9"/>'
        )
        left += width + random.uniform(3, 18)
    parts.append(_circle(x, y, 9, colours.glow))
    return "".join(parts)


def hills(random: Random, colours: Palette) -> str:
    """Soft hills, a pale sun, clouds."""
    parts = [_circle(random.uniform(70, 230), random.uniform(92, 130), random.uniform(30, 42), colours.form)]
    for _ in range(3):
        x, y = random.uniform(20, 240), random.uniform(60, 170)
        for index, (dx, radius) in enumerate(((0, 13), (16, 18), (35, 14), (50, 9))):
            parts.append(_circle(x + dx, y - (index % 2) * 5, radius, colours.glow, 0.5))
    for layer, opacity in enumerate((0.3, 0.45, 0.65)):
        base, swing = 232 + layer * 40, random.uniform(24, 46)
        tip = random.uniform(60, 240)
        parts.append(
            f'<path d="M-10,{base} C{tip - 90:.0f},{base - swing:.0f} {tip:.0f},{base - swing * 1.5:.0f} '
            f'{tip + 60:.0f},{base - 8} S260,{base + swing / 2:.0f} 310,{base - swing / 2:.0f} V450 H-10Z" '
            f'fill="{colours.deep}" opacity="{opacity}"/>'
        )
    return "".join(parts)


def speed(random: Random, colours: Palette) -> str:
    """Everything leans forward."""
    parts = []
    for _ in range(20):
        y, length, weight = random.uniform(-60, 350), random.uniform(70, 250), random.choice((4, 7, 12, 20))
        shade = random.choice((colours.form, colours.form, colours.glow))
        parts.append(
            f'<rect x="{random.uniform(-90, 210):.0f}" y="{y:.0f}" width="{length:.0f}" height="{weight}" '
            f'rx="{weight / 2}" fill="{shade}" opacity="{random.uniform(0.35, 0.9):.2f}"/>'
        )
    ball = _circle(random.uniform(150, 220), random.uniform(120, 190), random.uniform(36, 48), colours.form)
    return f'<g transform="rotate(-24 150 170)">{"".join(parts)}</g>{ball}'


def seigaiha(random: Random, colours: Palette) -> str:
    """Waves of the old pattern below a red disc."""
    parts = [_circle(random.uniform(100, 200), random.uniform(118, 148), random.uniform(50, 64), colours.glow)]
    radius = random.choice((26.0, 30.0, 34.0))
    row = 0
    y = 205.0
    while y < 350:
        x = -(row % 2) * radius
        while x < 300 + radius:
            parts.append(_circle(x, y, radius, colours.deep))
            parts += [_ring(x, y, radius * part, colours.form, 1.6, 0.85) for part in (0.95, 0.66, 0.36)]
            x += 2 * radius
        y += radius / 2
        row += 1
    return "".join(parts)


def flames(random: Random, colours: Palette) -> str:
    """Wisps that rise."""
    parts = []
    for _ in range(9):
        x, width, tip = random.uniform(10, 290), random.uniform(24, 58), random.uniform(50, 190)
        sway = random.uniform(-46, 46)
        half = width / 2
        shade = random.choice((colours.form, colours.form, colours.glow))
        rise = f"C{x - width + sway:.0f},{tip + 150:.0f} {x + sway:.0f},{tip + 90:.0f} {x:.0f},{tip:.0f}"
        fall = f"C{x + width + sway:.0f},{tip + 110:.0f} {x + width:.0f},{tip + 170:.0f} {x + half:.0f},450"
        parts.append(
            f'<path d="M{x - half:.0f},450 {rise} {fall}Z" fill="{shade}" opacity="{random.uniform(0.22, 0.6):.2f}"/>'
        )
    return _circle(150, 190, 84, colours.glow, 0.14) + "".join(parts)


def confetti(random: Random, colours: Palette) -> str:
    """A mess in good order."""
    parts = []
    shades = (colours.form, colours.glow, colours.deep)
    for row in range(6):
        for column in range(6):
            x, y = 28 + column * 49 + random.uniform(-7, 7), 66 + row * 46 + random.uniform(-7, 7)
            shade, size = shades[random.randrange(3)], random.uniform(8, 19)
            shape = random.randrange(4)
            if shape == 0:
                parts.append(_circle(x, y, size, shade, 0.9))
            elif shape == 1:
                parts.append(_ring(x, y, size * 0.8, shade, 5, 0.9))
            elif shape == 2:
                turn = random.uniform(0, 2 * pi)
                corners = [turn + corner * 2 * pi / 3 for corner in range(3)]
                parts.append(_path([(x + size * cos(a), y + size * sin(a)) for a in corners], shade, 0.9))
            else:
                turned = f"rotate({random.uniform(0, 180):.0f} {x:.0f} {y:.0f})"
                parts.append(
                    f'<rect x="{x - size:.0f}" y="{y - 4:.0f}" width="{2 * size:.0f}" height="8" rx="4" '
                    f'fill="{shade}" opacity="0.9" transform="{turned}"/>'
                )
    return "".join(parts)


MOTIFS: dict[str, Motif] = {
    motif.__name__: motif
    for motif in (
        sun, rays, orbits, peaks, panels, rings, petals, bars, slits, hills, speed, seigaiha, flames, confetti
    )
}  # fmt: skip
