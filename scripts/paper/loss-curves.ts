/** A line of a chart. */
export interface Curve {
  readonly title: string;
  readonly color: string;
  readonly points: readonly { readonly evaluations: number; readonly loss: number }[];
}

const [width, height] = [340, 190];
const plot = { left: 44, right: 10, top: 10, bottom: 30 } as const;

/** Losses as fractions of their start over evaluations, on a logarithmic scale: each system has units of its own. */
export function lossCurves(curves: readonly Curve[]): string {
  const fractions = curves.map(({ points, ...curve }) => ({
    ...curve,
    points: points.map(({ evaluations, loss }) => ({
      evaluations,
      fraction: Math.max(loss / points[0].loss, 1e-9),
    })),
  }));
  const all = fractions.flatMap((curve) => curve.points);
  const mostEvaluations = Math.max(2, ...all.map((point) => point.evaluations));
  const decades = Math.max(1, Math.ceil(-Math.log10(Math.min(...all.map((point) => point.fraction)))));
  const x = (evaluations: number) =>
    plot.left + ((evaluations - 1) / (mostEvaluations - 1)) * (width - plot.left - plot.right);
  const y = (fraction: number) =>
    plot.top + (-Math.log10(fraction) / decades) * (height - plot.top - plot.bottom);
  const grid = Array.from({ length: decades + 1 }, (_, decade) => {
    const at = y(10 ** -decade).toFixed(1);
    const label = decade === 0 ? '1' : `10<tspan dy="-4" font-size="8">&#8722;${decade}</tspan>`;
    return `<line x1="${plot.left}" x2="${width - plot.right}" y1="${at}" y2="${at}" class="grid-line"/><text x="${plot.left - 5}" y="${Number(at) + 4}" text-anchor="end">${label}</text>`;
  });
  const ticks = [1, Math.round(mostEvaluations / 2), mostEvaluations].map(
    (tick) => `<text x="${x(tick).toFixed(1)}" y="${height - 14}" text-anchor="middle">${tick}</text>`,
  );
  const lines = fractions.map(({ color, points, title }) => {
    const path = points.map((p) => `${x(p.evaluations).toFixed(1)},${y(p.fraction).toFixed(1)}`).join(' ');
    return `<polyline points="${path}" stroke="${color}"><title>${title}</title></polyline>`;
  });
  const caption = `<text x="${(plot.left + width - plot.right) / 2}" y="${height - 2}" text-anchor="middle">evaluations</text>`;
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="loss over evaluations">${grid.join('')}${ticks.join('')}${caption}${lines.join('')}</svg>`;
}
