import { type Colour, clouds, hex, mixColours, noise, scaleColour, smoothstep } from './noise.ts';
import { box, capsule, cone, normalize, type Scene, sphere, type Vector } from './ray-march.ts';

/** A jug, a bowl of fruit and a lemon on a table by a window. */
export function stillLifeScene(): Scene {
  return {
    distance: (x, y, z) => nearest(x, y, z).distance,
    surface(x, y, z, normal) {
      return materials[nearest(x, y, z).material](x, y, z, normal);
    },
    sky: () => [0.16, 0.13, 0.11],
    light: normalize([-0.75, 0.75, -0.45]),
    lightColour: [2.4, 2.15, 1.75],
    ambient: [0.26, 0.25, 0.28],
    eye: [0.3, 2.6, -7.4],
    target: [0.12, 0.82, 0],
    zoom: 3.35,
    haze: 60,
  };
}

type Material =
  | 'cloth'
  | 'wood'
  | 'wall'
  | 'jug'
  | 'bowl'
  | 'apple'
  | 'green'
  | 'orange'
  | 'lemon'
  | 'grape'
  | 'stem';

const found: { distance: number; material: Material } = { distance: 0, material: 'wall' };
function offer(distance: number, material: Material): void {
  if (distance < found.distance) Object.assign(found, { distance, material });
}

/** An apple: a ball with a hollow at the stem. */
const apple = (x: number, y: number, z: number, r: number) =>
  sphere(x, y, z, r) + 0.5 * r * smoothstep(0.42 * r, 0, Math.hypot(x, z)) * smoothstep(0, r, y);

function nearest(x: number, y: number, z: number): typeof found {
  found.distance = Number.POSITIVE_INFINITY;
  offer(3.2 - z, 'wall');
  offer(box(x, y + 0.3, z - 0.4, 4.6, 0.3, 2.2), 'wood');
  const folds = 0.05 * Math.sin(x * 3.1 + 2.2 * z + 2 * Math.sin(z * 1.7)) * smoothstep(-0.6, -1.8, z);
  offer((box(x + 0.3 + 0.4 * z, y - 0.01 - folds, z + 0.3, 1.7, 0.02, 1.35) - 0.015) * 0.75, 'cloth');
  offerJug(x + 1.25, y, z - 0.45);
  const [u, w] = [x - 0.75, z - 0.1];
  const outer = Math.max(sphere(u, y - 1.05, w, 1.03), y - 0.62);
  offer(Math.max(Math.max(outer, -sphere(u, y - 1.1, w, 0.98)) - 0.012, 0.02 - y) * 0.8, 'bowl');
  offer(cone(u, y - 0.02, w, 0.09, 0.42, 0.36), 'bowl');
  offer(apple(u + 0.36, y - 0.66, w + 0.14, 0.37), 'apple');
  offer(apple(u - 0.4, y - 0.68, w + 0.08, 0.35), 'green');
  offer(sphere(u, y - 0.72, w - 0.4, 0.37), 'orange');
  offer(sphere(u + 0.04, y - 1.13, w - 0.02, 0.33), 'orange');
  offer(capsule([u + 0.36, y - 0.66, w + 0.14], [0, 0.2, 0], [0.06, 0.48, 0.02], 0.02), 'stem');
  offer(capsule([u - 0.4, y - 0.68, w + 0.08], [0, 0.2, 0], [-0.07, 0.45, 0.02], 0.02), 'stem');
  const [lx, lz] = [(x + 0.55) * 0.9 + (z + 1.1) * 0.43, -(x + 0.55) * 0.43 + (z + 1.1) * 0.9];
  const tip = 0.05 * smoothstep(0.22, 0.36, Math.abs(lx));
  offer((Math.hypot(lx * 0.72, y - 0.24, lz) - 0.235 + tip) * 0.8, 'lemon');
  for (let i = 0; i < 9; i++) {
    const row = i < 5 ? 0 : 1;
    const at = 0.3 * (i - row * 5 - (row ? 1.5 : 2)) * 0.78;
    offer(
      sphere(x - 1.45 - at, y - 0.14 - 0.19 * row, z + 1.15 - 0.34 * noise(i * 3.7, 1) - 0.08 * row, 0.125),
      'grape',
    );
  }
  return found;
}

function offerJug(x: number, y: number, z: number): void {
  const bound = box(x, y - 1.1, z, 1.1, 1.2, 0.8);
  if (bound > 0.4) {
    offer(bound, 'jug');
    return;
  }
  // The profile of a potter's wheel: belly, neck, lip.
  const profile =
    0.36 + 0.34 * smoothstep(0, 0.7, y) - 0.42 * smoothstep(0.75, 1.55, y) + 0.16 * smoothstep(1.6, 2.05, y);
  const body = Math.max((Math.hypot(x, z) - profile) * 0.7, -y, y - 2.05);
  const hollow = Math.max((Math.hypot(x, z) - profile + 0.05) * 0.7, 1.2 - y);
  offer(Math.max(body, -hollow), 'jug');
  const ring = Math.hypot(Math.hypot((x + 0.47) * 1.05, y - 1.38) - 0.4, z) - 0.062;
  offer(Math.max(ring, Math.hypot(x, z) < profile - 0.04 ? 0.05 : -9), 'jug');
}

type Surface = ReturnType<Scene['surface']>;
const plain = (colour: Colour, mirror = 0): Surface => ({ colour, mirror });
const skin = (x: number, y: number, z: number) => 0.85 + 0.3 * noise(x * 9, y * 9, z * 9);

const materials: Record<Material, (x: number, y: number, z: number, normal: Vector) => Surface> = {
  wall(x, y) {
    const plaster = 0.75 + 0.4 * clouds(x * 1.6, y * 1.6, 5);
    return plain(scaleColour(mixColours(hex('#4d5a4f'), hex('#7b7a60'), smoothstep(-3, 3, -x)), plaster));
  },
  wood(x, y, z) {
    const grain = noise(x * 0.7, z * 16 + 2 * noise(x, z * 2), y * 3) * 0.6 + noise(x * 3, z * 60) * 0.4;
    const gap = Math.abs(((z + 3) / 0.75) % 1) < 0.025 ? 0.4 : 1;
    return plain(scaleColour(hex('#7a4a26'), (0.55 + 0.75 * grain) * gap), 0.25);
  },
  cloth(x, _, z) {
    const [u, v] = [x + 0.3 + 0.4 * z, z + 0.3];
    const stripe = Math.abs(Math.abs(v) - 1.12) < 0.09 || Math.abs(Math.abs(u) - 1.45) < 0.09;
    const thread = 0.92 + 0.1 * noise(u * 60, v * 60);
    return plain(scaleColour(stripe ? hex('#31538f') : hex('#ece6d8'), thread));
  },
  jug(x, y, z) {
    const angle = Math.atan2(x + 1.25, -(z - 0.45));
    const wave =
      Math.abs(y - 0.72 - 0.09 * Math.sin(angle * 9)) < 0.06 ||
      Math.abs(y - 1.62) < 0.035 ||
      Math.abs(y - 0.3) < 0.03;
    return plain(
      scaleColour(wave ? hex('#e9dcc0') : hex('#23618a'), 0.85 + 0.25 * clouds(angle * 4, y * 6, 3)),
      0.6,
    );
  },
  bowl: (x, y, z) => plain(scaleColour(hex('#c9764a'), 0.75 + 0.4 * noise(x * 2, y * 22, z * 2)), 0.25),
  apple(x, y, z) {
    const streaks = noise(Math.atan2(x - 0.39, z + 0.04) * 17, y * 2.5);
    return plain(
      scaleColour(mixColours(hex('#b3161c'), hex('#e8a23a'), smoothstep(0.55, 0.95, streaks)), skin(x, y, z)),
      0.35,
    );
  },
  green: (x, y, z) =>
    plain(
      scaleColour(mixColours(hex('#6f9a2a'), hex('#c4b83c'), noise(x * 3, y * 3, z * 3)), skin(x, y, z)),
      0.35,
    ),
  orange: (x, y, z) => plain(scaleColour(hex('#e8811c'), 0.8 + 0.35 * noise(x * 34, y * 34, z * 34)), 0.2),
  lemon: (x, y, z) => plain(scaleColour(hex('#edcf2e'), 0.82 + 0.3 * noise(x * 30, y * 30, z * 30)), 0.2),
  grape: (x, y, z) => plain(scaleColour(hex('#4a2352'), skin(x, y, z)), 0.5),
  stem: () => plain(hex('#4a3320')),
};
