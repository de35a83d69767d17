import 'uplot/dist/uPlot.min.css';
import uPlot from 'uplot';

/** A curve that draws itself step by step. */
export interface LossCurve {
  add(step: number, loss: number): void;
  dispose(): void;
}

/** Draws into an element, with its colours, the loss on a logarithmic scale. */
export function lossCurve(parent: HTMLElement): LossCurve {
  const steps: number[] = [];
  const losses: number[] = [];
  const colors = () => getComputedStyle(parent);
  const color = (name: string) => () => colors().getPropertyValue(name);
  const axis = {
    stroke: color('--quiet'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: '12px "Instrument Sans", sans-serif',
  };
  const size = () => ({ width: parent.clientWidth, height: parent.clientHeight });
  const plot = new uPlot(
    {
      ...size(),
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false }, y: { distr: 3 } },
      axes: [
        { ...axis, size: 28, space: 60, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500] },
        {
          ...axis,
          size: 52,
          grid: {
            ...axis.grid,
            filter: (_, splits) => splits.map((value) => (isPower(value) ? value : null)),
          },
          values: (_, values) => values.map((value) => (value === null ? '' : short(value))),
        },
      ],
      series: [{}, { stroke: color('--accent'), width: 2, points: { show: false } }],
    },
    [steps, losses],
    parent,
  );
  const watch = new ResizeObserver(() => plot.setSize(size()));
  watch.observe(parent);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const redraw = () => plot.redraw();
  dark.addEventListener('change', redraw);
  return {
    add(step, loss) {
      // A logarithm has no place for zero.
      if (!(loss > 0)) return;
      steps.push(step);
      losses.push(loss);
      plot.setData([steps, losses]);
    },
    dispose() {
      watch.disconnect();
      dark.removeEventListener('change', redraw);
      plot.destroy();
    },
  };
}

const short = (value: number) =>
  value >= 1e4 || value < 0.01
    ? value.toExponential(0).replace('e+', 'e')
    : String(Number(value.toPrecision(2)));

const isPower = (value: number) => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9;
