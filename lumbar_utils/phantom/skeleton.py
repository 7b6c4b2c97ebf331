"""The bones in the beam of a lateral radiograph: each a stack of slabs whose path lengths add up on the film."""

from __future__ import annotations

import cv2
import numpy as np

from lumbar_utils.dataset import FIRST_BODY, FIRST_DISC, MASK_LABELS
from lumbar_utils.phantom.anatomy import N_LEVELS, Anatomy, Column, back, up
from lumbar_utils.phantom.canvas import SHIFT, Canvas, rounded

# Linear attenuation in 1/mm at 50 keV, the effective energy of an 80 to 90 kVp beam (NIST coefficients times
# density), of cortex and spongiosa less that of the soft tissue that they displace; cortex is porous here.
CORTEX, SPONGIOSA = 0.040, 0.0125
BODY_WIDTH_MM = np.array([51, 48, 45, 43, 41, 40, 38, 36, 34, 33, 32.0])  # L5 first
SACRUM_WIDTH_MM = (50, 44, 38, 30, 24, 12)
CANAL_MM = 16.0  # of bone; the dural sac does not show
SMALLEST_MM = 0.5  # shorter osteophytes are not drawn
RIB_MM = np.array(
    [[0, 0, 18], [18, 0, 40], [34, 14, 78], [33, 38, 110], [12, 74, 128], [-32, 116, 134], [-85, 145, 122]]
)  # back, down and beside from the costovertebral joint


class Film:
    """Line integrals of attenuation above that of soft tissue, in a cone beam with its focus off the midline."""

    def __init__(self, canvas: Canvas, centre_mm: np.ndarray, focus_mm: float, bone_density: float):
        self.canvas, self.centre, self.focus = canvas, centre_mm, focus_mm
        self.spongiosa, self.cortex = SPONGIOSA * bone_density, CORTEX * (0.4 + 0.6 * bone_density)

    def project(self, points_mm: np.ndarray, beside_mm) -> np.ndarray:
        """Return points (n, 2), `beside_mm` (scalar or (n, 1)) nearer to the focus, as seen in the midline."""
        return self.centre + (points_mm - self.centre) * (1 + np.asarray(beside_mm) / self.focus)

    def slab(self, outline_mm: np.ndarray, integral: float, beside_mm=0.0) -> None:
        """Add `integral` inside an outline (n, 2)."""
        paint = lambda patch, corners: cv2.fillPoly(patch, [corners], 255, cv2.LINE_AA, SHIFT)
        self._add(paint, self.project(outline_mm, beside_mm), integral, 2)

    def band(self, line_mm: np.ndarray, integral: float, width_mm: float, beside_mm=0.0) -> None:
        """Add `integral` along a line (n, 2) that is `width_mm` wide."""
        width = max(1, round(width_mm * self.canvas.scale))
        paint = lambda patch, at: cv2.polylines(patch, [at], False, 255, width, cv2.LINE_AA, SHIFT)
        self._add(paint, self.project(line_mm, beside_mm), integral, width + 2)

    def _add(self, paint, points_mm, integral, margin):
        pixels = self.canvas.to_pixels(points_mm)
        low = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - margin, 0)
        high = np.minimum(np.ceil(pixels.max(axis=0)).astype(int) + margin + 1, self.canvas.side)
        if (high <= low).any():
            return
        patch = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        paint(patch, np.rint((pixels - low) * (1 << SHIFT)).astype(np.int32))
        self.canvas.signal[low[1] : high[1], low[0] : high[0]] += patch * np.float32(integral / 255)

    def bone(self, outline, width_mm, *, beside_mm=0.0, wall_mm=0.7, phi=0.0, slabs=5, front=None) -> None:
        """Add a bone `width_mm` across the midline: spongiosa in a shell of cortex `wall_mm` thick.

        Its slabs shrink towards its sides as in a superellipse. With `front`, the power of the front half's
        superellipse, it is a drum along the tilt `phi` and keeps its height.
        """
        frame = np.stack([back(phi), up(phi)])
        local = outline @ frame.T
        middle = (local.min(axis=0) + local.max(axis=0)) / 2
        local = local - middle
        inner = local * np.maximum(1 - wall_mm / np.abs(local).max(axis=0), 0.0)
        for part in (np.arange(slabs) + 0.5) / slabs * 2 - 1:
            rear = (1 - abs(part) ** 3.5) ** (1 / 3.5)
            shrink = np.full_like(local, rear)
            if front:
                shrink[:, 0] = np.where(local[:, 0] < 0, (1 - abs(part) ** front) ** (1 / front), rear)
                shrink[:, 1] = 1.0
            beside, thick = beside_mm + part * width_mm / 2, width_mm / slabs
            self.slab((middle + local * shrink) @ frame, self.cortex * thick, beside)
            self.slab((middle + inner * shrink) @ frame, (self.spongiosa - self.cortex) * thick, beside)


def bone_density(age_years: float, sex: str) -> float:
    """Return the density of spongiosa, 1 at 30 years; it falls with age, faster in women after the menopause."""
    loss = 0.007 * (age_years - 30) + (0.006 * max(0.0, age_years - 50) if sex == "F" else 0.0)
    return float(np.clip(1 - loss, 0.35, 1.1))


def draw_column(film: Film, column: Column, anatomy: Anatomy, generator: np.random.Generator) -> None:
    """Vertebrae with all their processes, and the sacrum; labels of bodies, discs and sacrum."""
    canvas, size = film.canvas, anatomy.size_factor
    for k in range(N_LEVELS):
        canvas.fill(np.concatenate([column.disc_low[k], column.disc_high[k][::-1]]), None, FIRST_DISC + k)
    for k in range(6):
        label = MASK_LABELS["sacrum"] if k < 5 else None
        canvas.fill(column.sacrum[k], None, label)
        width = SACRUM_WIDTH_MM[k] * size
        film.bone(
            column.sacrum[k],
            width,
            wall_mm=0.6,
            phi=column.sacrum_phi[k],
            slabs=11 if k == 0 else 5,
            front=3.0,
        )
    for k in range(N_LEVELS):
        canvas.fill(column.bodies[k], None, FIRST_BODY + k)
        film.bone(
            column.bodies[k],
            BODY_WIDTH_MM[k] * size,
            wall_mm=np.array([0.75, 0.6]),
            phi=column.body_phi[k],
            slabs=17,
            front=2.4,
        )
        draw_posterior(film, column, anatomy, k, generator.uniform(0, 1, 4))
    for k in range(3):  # median sacral crest
        phi = column.sacrum_phi[k]
        middle = column.sacrum[k, 1:3].mean(axis=0) + back(phi) * (17.0 - 2.5 * k)
        film.bone(rounded(middle, back(phi), up(phi), 9, 20 - 3 * k, power=0.9), 18, phi=phi)


def draw_posterior(film: Film, column: Column, anatomy: Anatomy, k: int, chance: np.ndarray) -> None:
    """Pedicles, articular and transverse processes of both sides, laminae and the spinous process of body `k`."""
    phi, size, height = column.body_phi[k], anatomy.size_factor, anatomy.body_height[k]
    b, u = back(phi), up(phi)
    rear = (column.top[k, -1] + column.bottom[k, -1]) / 2
    thoracic = k > 4

    def part(along, across, length, tall, tilt, **options):
        """A rounded box in the body's frame, `tilt` degrees from it."""
        turned = phi + np.radians(tilt)
        outline = rounded(
            rear + along * size * b + across * height * u, back(turned), up(turned), length * size, tall * height,
            power=options.pop("power", 0.8),
        )  # fmt: skip
        film.bone(outline, phi=turned, **options)

    for side in (-1.0, 1.0):
        beside = side * (12.0 + 1.2 * max(0, 4 - k)) * size
        part(5.0, 0.20, 17, 0.50, -4, width_mm=6.0 + 2.2 * max(0, 4 - k), beside_mm=beside, wall_mm=1.1)
        part(
            15.0, 0.50, 8.5, 0.66, -14, width_mm=12, beside_mm=1.25 * beside, wall_mm=1.0
        )  # superior articular
        part(19.0, 0.06, 9.0, 0.62, -24, width_mm=9, beside_mm=beside, wall_mm=1.2)  # pars
        part(24.5, -0.52, 8.5, 0.74, -10, width_mm=12, beside_mm=beside, wall_mm=1.0)  # inferior articular
        across = 0.14 if thoracic else 0.10
        part(11.0, across, 8, 0.36, -20, width_mm=24, beside_mm=side * 36 * size, wall_mm=0.5, power=1.0)
    part(CANAL_MM + 11, -0.12, 13, 0.72, -30, width_mm=22, wall_mm=0.8)  # laminae
    droop = phi - np.radians(6 + 10 * chance[0] + (22 if thoracic else 0))
    length = anatomy.spinous_length * (0.66 if k == 0 else 0.95) * (0.9 + 0.18 * chance[1])
    tall = height * (0.62 if k else 0.46) * (0.8 + 0.3 * chance[2]) * (0.6 if thoracic else 1.0)
    base = rear + (CANAL_MM + 6) * size * b - 0.22 * height * u
    spinous = rounded(
        base + back(droop) * length / 2,
        back(droop),
        up(droop),
        length,
        tall,
        power=0.62,
        flare=0.3 * chance[3],
    )
    film.bone(spinous, 10.0, wall_mm=1.0, phi=droop)


def draw_findings(film: Film, column: Column, levels, generator: np.random.Generator) -> None:
    """Osteophytes, sclerosis (Modic 3) and vacuum (gas in some discs of Pfirrmann grade V) of each level."""
    for k, level in enumerate(levels):
        shape = generator.random(6)
        b, u = back(column.disc_phi[k]), up(column.disc_phi[k])
        if level.modic == 3:
            draw_sclerosis(film, column, k, 5 + 6 * shape[:2])
        if level.pfirrmann == 5 and shape[4] < 0.4:
            middle = (column.disc_low[k].mean(axis=0) + column.disc_high[k].mean(axis=0)) / 2
            half = (0.2 + 0.12 * shape[5]) * np.linalg.norm(np.ptp(column.disc_low[k], axis=0)) * b
            middle = middle + (shape[3] - 0.7) * 10 * b
            film.band(np.stack([middle - half, middle + half]), -0.55, 1.3)
        if level.osteophyte_mm >= SMALLEST_MM:
            longer = 1.0 if shape[3] < 0.5 else 0.45 + 0.55 * shape[2]
            shorter = 1.0 if shape[3] >= 0.5 else 0.45 + 0.55 * shape[2]
            for corner, away, share in (
                (column.disc_high[k, 0], 1.0, longer),
                (column.disc_low[k, 0], -1.0, shorter),
            ):
                reach = level.osteophyte_mm * share
                base = 3.0 + 0.9 * reach
                beak = np.array([[2.0, 0.2], [-0.3 * reach, 0.1], [-reach, -0.22 * reach],
                                 [-0.55 * reach, 0.3 * base], [0.8, base], [2.5, base]])  # fmt: skip
                outline = corner + np.outer(beak[:, 0], b) + np.outer(beak[:, 1] * away, u)
                film.canvas.fill(outline, None, MASK_LABELS["osteophyte"])
                film.bone(outline, 30.0, wall_mm=0.9, phi=column.disc_phi[k], slabs=7)


def draw_sclerosis(film: Film, column: Column, k: int, thickness_mm: np.ndarray) -> None:
    """Dense bone along both endplates of disc `k`, fading into the bodies."""
    u = up(column.disc_phi[k])
    for edge, towards, thick in zip(
        (column.disc_high[k], column.disc_low[k]), (1.0, -1.0), thickness_mm, strict=True
    ):
        profile = np.clip(np.sin(np.linspace(0.4, np.pi - 0.15, len(edge))), 0.1, 1.0)[:, None]
        for part in (1.0, 0.8, 0.6, 0.4):
            deep = edge + towards * thick * part * profile * u
            film.slab(np.concatenate([edge[1:-1], deep[1:-1][::-1]]), 0.10)


def draw_pelvis(film: Film, column: Column, anatomy: Anatomy) -> None:
    """Sacral alae and iliac wings with their crests; both sides, so each appears twice."""
    size = anatomy.size_factor
    ala = np.concatenate([column.sacrum[:3, 0], column.sacrum[2:3, 3], column.sacrum[2::-1, 2]])
    tilt = np.radians(anatomy.sacral_slope - 41.0)
    turn = np.stack([back(tilt), -up(tilt)]) * size
    # back, down and beside from the middle of S1's endplate; from the front spine over the crest to the rear one
    wing = np.array([[-78, 40, 118], [-72, 14, 124], [-50, -18, 130], [-18, -38, 128], [18, -34, 105], [48, -10, 70],
                     [68, 18, 48], [66, 40, 45], [40, 52, 58], [24, 72, 70], [2, 92, 82], [-30, 96, 88], [-58, 84, 98],
                     [-64, 62, 108]], float)  # fmt: skip
    for side in (-1.0, 1.0):
        film.bone(ala, 20 * size, beside_mm=side * 38, wall_mm=0.4, phi=column.sacrum_phi[0], slabs=7)
        plate, beside = wing[:, :2] @ turn, side * wing[:, 2:]
        film.slab(plate, 2.6 * film.cortex + 9 * film.spongiosa, beside)
        for width, share in ((9.0, 0.09), (5.0, 0.08), (1.6, 0.12)):
            film.band(plate[:8], share, width, beside[:8])
        film.band(plate[8:12], 0.12, 3.0, beside[8:12])


def draw_ribs(film: Film, column: Column, generator: np.random.Generator) -> None:
    """The lower ribs of both sides, the twelfth a short one."""
    for k, length in zip(range(5, N_LEVELS), (3.2, 4.6, 6, 6, 6, 6), strict=True):
        droop = generator.uniform(0.85, 1.15, 2)
        for side, steeper in zip((-1.0, 1.0), droop, strict=True):
            at = np.linspace(0, length, 48)
            path = np.stack([np.interp(at, np.arange(7), RIB_MM[:, i]) for i in range(3)], axis=-1)
            path[5:-5] = np.stack([np.convolve(path[:, i], np.ones(11) / 11, "valid") for i in range(3)], -1)
            line = column.top[k, -1] + path[:, :2] * (1.0, steeper)
            for width, share in ((9.5, 0.17), (7.3, -0.06)):
                film.band(line, share, width, side * path[:, 2:])
