import { type Colour, clamp, clouds, hex, mix, mixColours, noise, scaleColour, smoothstep } from './noise.ts';
import { box, capsule, cone, normalize, type Scene, sphere, type Vector } from './ray-march.ts';

/** A lighthouse and a house on a hill by a lake, mountains behind, a walker in front. */
export function lighthouseScene(): Scene {
  return {
    distance: (x, y, z) => nearest(x, y, z).distance,
    surface(x, y, z, normal) {
      return materials[nearest(x, y, z).material](x, y, z, normal);
    },
    sky,
    light,
    lightColour: [2.5, 2.1, 1.55],
    ambient: [0.26, 0.34, 0.5],
    eye: [-1.2, 2.5, -15],
    target: [0.9, 2.75, 0],
    zoom: 2.05,
    haze: 170,
  };
}

const light = normalize([0.72, 0.52, -0.5]);

type Material =
  | 'ground'
  | 'water'
  | 'tower'
  | 'lantern'
  | 'red'
  | 'wall'
  | 'roof'
  | 'trunk'
  | 'leaves'
  | 'coat'
  | 'skin'
  | 'hat'
  | 'legs'
  | 'sail'
  | 'hull'
  | 'rock';

const found: { distance: number; material: Material } = { distance: 0, material: 'ground' };
function offer(distance: number, material: Material): void {
  if (distance < found.distance) Object.assign(found, { distance, material });
}

const hill = (x: number, z: number, cx: number, cz: number, wx: number, wz: number) =>
  Math.exp(-(((x - cx) / wx) ** 2) - ((z - cz) / wz) ** 2);

/** Height of the ground; below 0 is under water. */
function ground(x: number, z: number): number {
  const shape =
    3 * hill(x, z, 3.2, 3.5, 4.4, 4.6) +
    1.15 * hill(x, z, 6.5, -4, 4.5, 6) +
    1.75 * hill(x, z, -3.4, -11, 3.3, 3.4) +
    1.3 * hill(x, z, 1.5, -12, 6, 4);
  const rough = clouds(x * 0.9, z * 0.9, 3) - 0.5;
  return shape - 0.55 + 0.3 * rough;
}

const place = (x: number, z: number): Vector => [x, ground(x, z), z];
const tower = place(3.9, 3.6);
const house = place(1.15, 2.3);
const walker = place(-2.55, -10.35);
const trees = [
  { at: place(6.2, 2.2), size: 1.05 },
  { at: place(7.3, 0.6), size: 1.25 },
  { at: place(-0.9, 3.4), size: 0.85 },
  { at: place(5.6, -3.2), size: 0.8 },
];

function nearest(x: number, y: number, z: number): typeof found {
  found.distance = Number.POSITIVE_INFINITY;
  // Heights are no distances; half of them is safe on these slopes.
  offer((y - ground(x, z)) * 0.55, 'ground');
  offer(y, 'water');
  offerTower(x - tower[0], y - tower[1] + 0.1, z - tower[2]);
  offerHouse(x - house[0], y - house[1] + 0.12, z - house[2]);
  for (const { at, size } of trees)
    offerTree((x - at[0]) / size, (y - at[1]) / size, (z - at[2]) / size, size);
  offerWalker(x - walker[0], y - walker[1], z - walker[2]);
  offerBoat(x + 4.1, y, z - 7);
  return found;
}

function offerTower(x: number, y: number, z: number): void {
  const bound = Math.max(Math.hypot(x, z) - 0.9, y - 6);
  if (bound > 0.6) {
    offer(bound, 'tower');
    return;
  }
  offer(cone(x, y, z, 3.7, 0.62, 0.4), 'tower');
  offer(cone(x, y - 3.7, z, 0.12, 0.62, 0.62) - 0.01, 'rock');
  offer(cone(x, y - 3.82, z, 0.7, 0.3, 0.3), 'lantern');
  offer(cone(x, y - 4.52, z, 0.5, 0.44, 0.02), 'red');
  offer(sphere(x, y - 5.05, z, 0.07), 'red');
  const around = Math.hypot(x, z) - 0.58;
  offer(Math.hypot(around, y - 4.05) - 0.018, 'rock');
}

function offerHouse(wx: number, y: number, wz: number): void {
  const [c, s] = [Math.cos(0.45), Math.sin(0.45)];
  const [x, z] = [wx * c - wz * s, wx * s + wz * c];
  const bound = box(x, y - 0.9, z, 1.3, 1.3, 0.9);
  if (bound > 0.5) {
    offer(bound, 'wall');
    return;
  }
  const gable = Math.max(Math.abs(z) * 0.8 + (y - 1.55) * 0.6, Math.abs(x) - 1.02, 0.3 - y);
  offer(Math.max(box(x, y - 0.7, z, 1, 0.95, 0.62), Math.abs(z) * 0.8 + (y - 1.5) * 0.6), 'wall');
  offer(Math.max(gable - 0.06, -(gable + 0.02), 0.93 - y, Math.abs(x) - 1.12), 'roof');
  offer(box(x - 0.55, y - 1.5, z - 0.1, 0.13, 0.42, 0.13), 'red');
}

function offerTree(x: number, y: number, z: number, size: number): void {
  const bound = sphere(x, y - 1.4, z, 1.45);
  if (bound > 0.5) {
    offer(bound * size, 'leaves');
    return;
  }
  offer(cone(x, y + 0.2, z, 1.3, 0.13, 0.07) * size, 'trunk');
  const leafy = 0.16 * (noise(x * 7, y * 7, z * 7) - 0.3) + 0.06 * noise(x * 19, y * 19, z * 19);
  const crown = Math.min(
    sphere(x, y - 1.55, z, 0.75),
    sphere(x - 0.45, y - 1.2, z + 0.15, 0.5),
    sphere(x + 0.48, y - 1.3, z - 0.1, 0.52),
    sphere(x + 0.1, y - 2.05, z, 0.5),
  );
  offer((crown - leafy) * 0.55 * size, 'leaves');
}

function offerWalker(x: number, y: number, z: number): void {
  const bound = box(x, y - 0.6, z, 0.5, 0.9, 0.4);
  if (bound > 0.3) {
    offer(bound, 'coat');
    return;
  }
  const p: Vector = [x, y, z];
  offer(capsule(p, [-0.09, 0.05, 0.09], [-0.05, 0.5, 0], 0.06), 'legs');
  offer(capsule(p, [0.12, 0.05, -0.08], [0.05, 0.5, 0], 0.06), 'legs');
  offer(cone(x, y - 0.36, z, 0.62, 0.24, 0.13) - 0.03, 'coat');
  offer(capsule(p, [-0.18, 0.92, 0], [-0.3, 0.56, 0.06], 0.055), 'coat');
  offer(capsule(p, [0.18, 0.92, 0], [0.36, 0.66, -0.1], 0.055), 'coat');
  // A stick.
  offer(capsule(p, [0.38, 0.66, -0.12], [0.44, 0.0, -0.14], 0.016), 'trunk');
  offer(sphere(x, y - 1.14, z, 0.115), 'skin');
  offer(cone(x, y - 1.19, z, 0.02, 0.24, 0.23) - 0.008, 'hat');
  offer(cone(x, y - 1.2, z, 0.15, 0.12, 0.1) - 0.01, 'hat');
}

function offerBoat(x: number, y: number, z: number): void {
  const bound = box(x, y - 0.8, z, 1.3, 1.4, 0.5);
  if (bound > 0.5) {
    offer(bound, 'sail');
    return;
  }
  offer(Math.max(Math.hypot(x * 0.42, (y - 0.25) * 1.1, z * 1.25) - 0.36, y - 0.22) * 0.7, 'hull');
  offer(capsule([x, y, z], [0, 0.1, 0], [0, 1.9, 0], 0.025), 'trunk');
  const main = Math.max(0.08 - x, x - (0.85 * (1.85 - y)) / 1.5, 0.38 - y);
  const jib = Math.max(x + 0.06, -x - (0.6 * (1.6 - y)) / 1.25, 0.4 - y);
  offer(Math.max(Math.min(main, jib) * 0.75, Math.abs(z + 0.12 * Math.sin(2.4 * x)) - 0.015), 'sail');
}

type Surface = ReturnType<Scene['surface']>;
const plain = (colour: Colour, mirror = 0): Surface => ({ colour, mirror });

const materials: Record<Material, (x: number, y: number, z: number, normal: Vector) => Surface> = {
  ground(x, y, z, normal) {
    const patches = clouds(x * 0.7, z * 0.7, 4);
    const blades = noise(x * 26, z * 9) * 0.6 + noise(x * 60, z * 24) * 0.4;
    const grass = mixColours(hex('#26400f'), hex('#75762a'), smoothstep(0.3, 0.72, patches));
    const meadow = scaleColour(grass, 0.55 + 0.75 * blades);
    const flowers =
      noise(x * 21, z * 21) > 0.86 && patches > 0.45
        ? hex(noise(x * 3, z * 3) > 0.5 ? '#c98f22' : '#a9a0c4')
        : meadow;
    const along = x - pathAt(z);
    const onPath = smoothstep(0.34, 0.2, Math.abs(along) + 0.2 * (noise(x * 6, z * 6) - 0.5));
    const soil = scaleColour(hex('#b79a6b'), 0.7 + 0.5 * noise(x * 14, z * 14));
    const walked = mixColours(flowers, soil, onPath);
    const stone = scaleColour(hex('#8d8478'), 0.5 + 0.8 * clouds(x * 4, z * 4 + y * 5, 3));
    const shore = Math.max(
      smoothstep(0.32, 0.06, y + 0.2 * (patches - 0.5)),
      smoothstep(0.72, 0.5, normal[1]),
    );
    return plain(mixColours(walked, stone, shore));
  },
  water(x, _, z) {
    const wave = (dx: number, dz: number) =>
      clouds((x + dx) * 1.1, (z + dz) * 4.2, 3, 1.5) + 0.5 * noise((x + dx) * 5, (z + dz) * 14, 0.5);
    const at = wave(0, 0);
    const slope = 0.1 / (1 + 0.02 * Math.hypot(x, z + 15));
    const normal = normalize([-(wave(0.08, 0) - at) * slope * 3, 1, -(wave(0, 0.08) - at) * slope * 3]);
    const depth = clamp(-ground(x, z) * 1.4);
    const colour = mixColours(hex('#4d6a58'), hex('#0d2c3f'), depth);
    return { colour: scaleColour(colour, 0.5), mirror: 1, normal };
  },
  tower(x, y, z) {
    const height = y - tower[1] + 0.1;
    const band = Math.floor(height / 0.74) % 2 === 0;
    const wear = 0.82 + 0.25 * clouds(x * 3 + z * 3, height * 1.2, 4);
    const angle = Math.atan2(x - tower[0], -(z - tower[2]));
    const window = [0.95, 2.4].some((up) => Math.abs(height - up) < 0.17 && Math.abs(angle + 0.25) < 0.17);
    const door = height < 0.62 && Math.abs(angle + 0.25) < 0.27;
    if (window) return plain(hex('#1b2430'), 0.5);
    if (door) return plain(hex('#3a4f5c'));
    return plain(scaleColour(band ? hex('#efe9dc') : hex('#b3271e'), wear));
  },
  lantern(x, _, z) {
    const angle = Math.atan2(x - tower[0], z - tower[2]);
    const bars = Math.abs(((angle / Math.PI) * 5) % 1) < 0.12;
    return bars ? plain(hex('#2a2c30')) : plain(scaleColour(hex('#ffe9a8'), 1.1), 0.6);
  },
  red: () => plain(hex('#9a2318')),
  rock: () => plain(hex('#3b3a3c')),
  wall(wx, y, wz) {
    const [c, s] = [Math.cos(0.45), Math.sin(0.45)];
    const [x, z] = [(wx - house[0]) * c - (wz - house[2]) * s, (wx - house[0]) * s + (wz - house[2]) * c];
    const up = y - house[1] + 0.12;
    const front = z < -0.55;
    const near = (a: number, b: number, w: number, h: number) => Math.max(Math.abs(a) / w, Math.abs(b) / h);
    const windows = front
      ? Math.min(near(x + 0.58, up - 0.62, 0.17, 0.19), near(x - 0.58, up - 0.62, 0.17, 0.19))
      : near(z, up - 0.7, 0.17, 0.2);
    const door = front ? near(x, up - 0.36, 0.17, 0.36) : 9;
    if (windows < 0.8) return plain(hex('#202c38'), 0.7);
    if (windows < 1.15) return plain(hex('#f4f0e6'));
    if (door < 1) return plain(hex('#2f5d62'));
    return plain(scaleColour(hex('#e3d3b0'), 0.8 + 0.3 * clouds(x * 4 + z * 4, up * 4, 3)));
  },
  roof(x, y, z) {
    const tiles = 0.62 + 0.3 * noise(x * 16, z * 16, y * 2) + ((y * 9) % 1 > 0.82 ? -0.22 : 0);
    return plain(scaleColour(hex('#b4552f'), tiles));
  },
  trunk: () => plain(hex('#4a3626')),
  leaves(x, y, z) {
    const spots = noise(x * 12, y * 12, z * 12);
    return plain(
      scaleColour(
        mixColours(hex('#2c4a18'), hex('#7f8f2e'), spots),
        0.6 + 0.8 * noise(x * 30, y * 30, z * 30),
      ),
    );
  },
  coat: (x, y, z) => plain(scaleColour(hex('#284a86'), 0.75 + 0.5 * noise(x * 20, y * 20, z * 20))),
  skin: () => plain(hex('#d49c78')),
  hat: () => plain(hex('#c9a25a')),
  legs: () => plain(hex('#3a2d28')),
  sail: (_, y) => plain(scaleColour(hex('#f6efe0'), 0.9 + 0.1 * Math.sin(y * 9))),
  hull: () => plain(hex('#7c2f22')),
};

/** x of the path that leads from the walker to the house. */
const pathAt = (z: number) => -2.6 + 0.3 * (z + 9.3) + 0.5 * Math.sin((z + 9.3) * 0.55);

function sky(direction: Vector): Colour {
  const up = Math.max(0, direction[1]);
  const sun = Math.max(0, direction[0] * light[0] + 0.25 * light[1] + direction[2] * -light[2]);
  let colour = mixColours([1.02, 0.78, 0.52], [0.36, 0.56, 0.86], smoothstep(-0.02, 0.2, up));
  colour = mixColours(colour, [0.1, 0.23, 0.56], smoothstep(0.12, 0.62, up));
  colour = mixColours(colour, [1.5, 1.1, 0.66], 0.5 * sun ** 6 * (1 - smoothstep(0, 0.5, up)));
  colour = withClouds(colour, direction, up);
  return withMountains(colour, direction, up);
}

function withClouds(colour: Colour, [x, , z]: Vector, up: number): Colour {
  const [u, v] = [(x / (up + 0.22)) * 1.15 + 4.2, (z / (up + 0.22)) * 1.15 + (1 / (up + 0.22)) * 0.3];
  const density = (du: number, dv: number) => clouds(u * 1.5 + du, v * 1.5 + dv, 6);
  const thick = smoothstep(0.47, 0.74, density(0, 0));
  const shade = clamp(0.62 + 3.2 * (density(0, 0) - density(0.16, -0.2)));
  const body = mixColours([0.5, 0.5, 0.62], [1.55, 1.36, 1.14], shade);
  return mixColours(colour, body, thick * smoothstep(0.01, 0.1, up));
}

/** Three ridges, the farther the bluer. */
function withMountains(colour: Colour, [x, , z]: Vector, up: number): Colour {
  const angle = Math.atan2(x, z);
  const ridges = [
    { height: 0.175, rough: 7, colour: [0.42, 0.5, 0.66] as Colour, snow: 0.105, offset: 3 },
    { height: 0.115, rough: 9, colour: [0.27, 0.37, 0.5] as Colour, snow: 1, offset: 11 },
    { height: 0.06, rough: 15, colour: [0.17, 0.27, 0.3] as Colour, snow: 1, offset: 27 },
  ];
  let result = colour;
  for (const { height, rough, colour: rock, snow, offset } of ridges) {
    const ridge = (a: number) => {
      const folds = 1 - Math.abs(2 * clouds(a * rough + offset, offset, 5) - 1);
      return height * (0.35 + 0.85 * folds * clouds(a * 2.2 + offset, 1.5 + offset, 2) * 1.5);
    };
    const top = ridge(angle);
    const inside = smoothstep(top + 0.0012, top - 0.0012, up);
    if (inside === 0) continue;
    const folds = clouds(angle * 30 + up * 24 + offset, up * 46 - angle * 18, 4) - 0.5;
    const slope = clamp(0.55 + 1.5 * folds - (ridge(angle + 0.008) - top) * 26, 0.15, 1.3);
    const white = smoothstep(snow, snow + 0.045, up + 0.06 * folds);
    const lit = mixColours(
      scaleColour(rock, mix(0.75, 1.2, slope)),
      [1.2 * slope + 0.2, 1.08 * slope + 0.24, 0.95 * slope + 0.34],
      white,
    );
    const air = smoothstep(top * 0.9, 0, up) * 0.45;
    result = mixColours(result, mixColours(lit, [0.85, 0.72, 0.6], air), inside);
  }
  return result;
}
