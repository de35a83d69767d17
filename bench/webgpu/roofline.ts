import { type Command, costOf } from '../../src/engines/webgpu/device/gpu';
import type { AdapterNames } from '../../src/engines/webgpu/network/adapters';

/** A GPU by the numbers of its maker; kernels are chosen by the names of its adapter. */
export interface GpuModel extends AdapterNames {
  readonly name: string;
  /** Additions and multiplications of 32-bit floats a second, in 10^12. */
  readonly teraflops: number;
  /** Bytes of memory a second, in 10^9. */
  readonly gigabytes: number;
  /** From one command to the next, in microseconds. */
  readonly gap: number;
}

/** GPUs of several classes, with the numbers that their makers state. */
export const gpuModels: readonly GpuModel[] = [
  {
    name: 'NVIDIA H100 SXM',
    vendor: 'nvidia',
    description: 'NVIDIA H100 80GB HBM3',
    teraflops: 66.9,
    gigabytes: 3350,
    gap: 4,
  },
  { name: 'NVIDIA RTX 4090', vendor: 'nvidia', teraflops: 82.6, gigabytes: 1008, gap: 5 },
  { name: 'NVIDIA RTX 3060', vendor: 'nvidia', teraflops: 12.7, gigabytes: 360, gap: 6 },
  { name: 'NVIDIA GTX 1080', vendor: 'nvidia', teraflops: 8.9, gigabytes: 320, gap: 8 },
  { name: 'Apple M2, 10 cores', vendor: 'apple', teraflops: 3.6, gigabytes: 100, gap: 15 },
  { name: 'Intel Iris Xe, 96 units', vendor: 'intel', teraflops: 2.1, gigabytes: 68, gap: 15 },
];

/** The parts of a GPU's numbers that well-made kernels reach; the way to the device and back, in milliseconds. */
export const assumed = { ofFlops: 0.47, ofBytes: 0.75, wayMs: 0.15 } as const;

/** Milliseconds of an evaluation by arithmetic: each command takes as long as the slower of its sums and its memory. */
export function expectedMs(commands: readonly Command[], { teraflops, gigabytes, gap }: GpuModel): number {
  const each = commands.map((command) => {
    const { flop, bytes } = costOf(command);
    const [sums, memory] = [
      flop / (assumed.ofFlops * teraflops * 1e9),
      bytes / (assumed.ofBytes * gigabytes * 1e6),
    ];
    return Math.max(sums, memory) + gap / 1000;
  });
  return each.reduce((a, b) => a + b, assumed.wayMs);
}
