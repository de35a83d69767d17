import { type Colour, clamp, mixColours, smoothstep } from './noise.ts';

/** A scene as distances: how far a point is from the nearest surface, and what that surface looks like. */
export interface Scene {
  /** At most the distance to the nearest surface. */
  distance(x: number, y: number, z: number): number;
  /** Colour, and how much of a mirror the surface is (0 to 1), at a point on it. */
  surface(
    x: number,
    y: number,
    z: number,
    normal: Vector,
  ): { colour: Colour; mirror: number; normal?: Vector };
  /** Colour of rays that hit nothing. */
  sky(direction: Vector): Colour;
  /** Towards the light. */
  readonly light: Vector;
  readonly lightColour: Colour;
  readonly ambient: Colour;
  readonly eye: Vector;
  readonly target: Vector;
  /** Distance of the picture plane for a picture two units high: larger shows less. */
  readonly zoom: number;
  /** Where the air takes over, and its colour comes from the sky. */
  readonly haze: number;
}

export type Vector = readonly [number, number, number];

export const normalize = ([x, y, z]: Vector): Vector => {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
};
const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** Renders by sphere tracing, with soft shadows, ambient occlusion and one reflection. @returns 8-bit RGB */
export function render(scene: Scene, width: number, height: number, samples: number): Uint8Array {
  const forward = normalize([
    scene.target[0] - scene.eye[0],
    scene.target[1] - scene.eye[1],
    scene.target[2] - scene.eye[2],
  ]);
  const right = normalize(cross([0, 1, 0], forward));
  const up = cross(forward, right);
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [r, g, b] = [0, 0, 0];
      for (let s = 0; s < samples * samples; s++) {
        const u = (2 * (x + ((s % samples) + 0.5) / samples) - width) / height;
        const v = (height - 2 * (y + (Math.floor(s / samples) + 0.5) / samples)) / height;
        const ray = normalize([
          forward[0] * scene.zoom + right[0] * u + up[0] * v,
          forward[1] * scene.zoom + right[1] * u + up[1] * v,
          forward[2] * scene.zoom + right[2] * u + up[2] * v,
        ]);
        const colour = trace(scene, scene.eye, ray, 1);
        // Averaged after the tone curve, as an eye would average the picture's pixels.
        r += tone(colour[0]);
        g += tone(colour[1]);
        b += tone(colour[2]);
      }
      const corner = Math.hypot((2 * x) / width - 1, (2 * y) / height - 1);
      const scale = (255 * (1 - 0.12 * corner ** 2)) / (samples * samples);
      pixels.set(
        [r * scale, g * scale, b * scale].map((level) => Math.round(clamp(level, 0, 255))),
        (y * width + x) * 3,
      );
    }
  }
  return pixels;
}

/** Film-like: a shoulder in the highlights, gamma, and a little more contrast in the middle. */
const tone = (x: number) => smoothstep(-0.12, 1.06, (1 - Math.exp(-1.45 * Math.max(0, x))) ** (1 / 1.75));

function trace(scene: Scene, origin: Vector, ray: Vector, bounces: number): Colour {
  const far = march(scene, origin, ray, 400);
  const sky = scene.sky(ray);
  if (far === undefined) return sky;
  const at: Vector = [origin[0] + ray[0] * far, origin[1] + ray[1] * far, origin[2] + ray[2] * far];
  const flat = normalAt(scene, at, 0.0007 * Math.max(1, far));
  const { colour, mirror, normal = flat } = scene.surface(...at, flat);
  const start: Vector = [at[0] + flat[0] * 0.01, at[1] + flat[1] * 0.01, at[2] + flat[2] * 0.01];
  const facing = Math.max(0, dot(normal, scene.light));
  const lit = facing > 0 ? facing * shadow(scene, start) : 0;
  const open = occlusion(scene, at, flat) * (0.6 + 0.4 * normal[1]);
  let result: Colour = [0, 1, 2].map(
    (c) => colour[c] * (scene.lightColour[c] * lit + scene.ambient[c] * open),
  ) as unknown as Colour;
  if (mirror > 0 && bounces > 0) {
    const along = dot(ray, normal);
    const reflected = normalize([
      ray[0] - 2 * along * normal[0],
      Math.max(0.02, ray[1] - 2 * along * normal[1]),
      ray[2] - 2 * along * normal[2],
    ]);
    // Schlick: mirrors are better at grazing angles.
    const fresnel = mirror * (0.06 + 0.94 * (1 - clamp(-along)) ** 4);
    result = mixColours(result, trace(scene, start, reflected, bounces - 1), fresnel);
  }
  return mixColours(
    result,
    scene.sky(normalize([ray[0], Math.max(0.02, ray[1]), ray[2]])),
    1 - Math.exp(-((far / scene.haze) ** 2)),
  );
}

function march(scene: Scene, origin: Vector, ray: Vector, steps: number): number | undefined {
  let t = 0.02;
  for (let i = 0; i < steps && t < 4 * scene.haze; i++) {
    const d = scene.distance(origin[0] + ray[0] * t, origin[1] + ray[1] * t, origin[2] + ray[2] * t);
    if (d < 0.0006 * (1 + t)) return t;
    t += d;
  }
  return undefined;
}

function normalAt(scene: Scene, [x, y, z]: Vector, step: number): Vector {
  const at = scene.distance(x, y, z);
  return normalize([
    scene.distance(x + step, y, z) - at,
    scene.distance(x, y + step, z) - at,
    scene.distance(x, y, z + step) - at,
  ]);
}

/** Part of the light that arrives: less where the ray to it passes close by something. */
function shadow(scene: Scene, [x, y, z]: Vector): number {
  let clear = 1;
  for (let t = 0.03, i = 0; t < 14 && i < 70; i++) {
    const d = scene.distance(x + scene.light[0] * t, y + scene.light[1] * t, z + scene.light[2] * t);
    if (d < 0.0008) return 0;
    clear = Math.min(clear, (14 * d) / t);
    t += clamp(d, 0.015, 0.6);
  }
  return clear;
}

function occlusion(scene: Scene, [x, y, z]: Vector, [nx, ny, nz]: Vector): number {
  let closed = 0;
  for (let i = 1, weight = 1; i <= 4; i++, weight *= 0.6) {
    const reach = 0.07 * i * i * 0.7;
    closed +=
      (weight * (reach - Math.min(reach, scene.distance(x + nx * reach, y + ny * reach, z + nz * reach)))) /
      reach;
  }
  return clamp(1 - 0.42 * closed);
}

/** Distances of the usual bodies, centred at the origin. */
export const sphere = (x: number, y: number, z: number, r: number) => Math.hypot(x, y, z) - r;
export const box = (x: number, y: number, z: number, a: number, b: number, c: number) => {
  const [p, q, s] = [Math.abs(x) - a, Math.abs(y) - b, Math.abs(z) - c];
  return Math.hypot(Math.max(p, 0), Math.max(q, 0), Math.max(s, 0)) + Math.min(Math.max(p, q, s), 0);
};
/** Standing on y = 0, radius `low` at the bottom and `high` at the top. */
export const cone = (x: number, y: number, z: number, height: number, low: number, high: number) => {
  const slope = (low - high) / height;
  const side = (Math.hypot(x, z) - (low - slope * y)) / Math.hypot(1, slope);
  return Math.max(side, -y, y - height);
};
export const capsule = (p: Vector, a: Vector, b: Vector, r: number) => {
  const [dx, dy, dz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
  const [x, y, z] = [p[0] - a[0], p[1] - a[1], p[2] - a[2]];
  const t = clamp((x * dx + y * dy + z * dz) / (dx * dx + dy * dy + dz * dz));
  return Math.hypot(x - t * dx, y - t * dy, z - t * dz) - r;
};
