/** How the marks of a chapter are spread, for the gradebook. */

import { type Chart, COLOURS, chart } from '../../plots/chart.ts';
import type { Mark } from '../gradebook/policy.ts';

const BINS = 10;

/** Learners by tenths of the points that can be had, those in time below, those late above. Full marks belong to the last tenth. */
export function marksChart(marks: readonly Mark[]): Chart {
  const graded = marks.flatMap(({ points, outOf, daysLate }) =>
    points === null || outOf === null || outOf <= 0 ? [] : [{ share: points / outOf, late: daysLate > 0 }],
  );
  const values = Array.from({ length: BINS }, (_, bin) => bin).flatMap((bin) =>
    [false, true].map((late, order) => ({
      from: bin * BINS,
      to: (bin + 1) * BINS,
      kind: late ? 'late' : 'in time',
      order,
      learners: graded.filter((one) => one.late === late && binOf(one.share) === bin).length,
    })),
  );
  const total = graded.length;
  const mean = total === 0 ? 0 : graded.reduce((sum, { share }) => sum + share, 0) / total;
  return chart(
    {
      width: 300,
      height: 140,
      data: { values },
      mark: { type: 'bar' },
      encoding: {
        x: {
          field: 'from',
          type: 'quantitative',
          bin: { binned: true, step: BINS },
          title: 'percent of the points',
          axis: { tickMinStep: 20 },
        },
        x2: { field: 'to' },
        y: { field: 'learners', type: 'quantitative', title: 'learners', axis: { tickMinStep: 1 } },
        color: {
          field: 'kind',
          type: 'nominal',
          title: null,
          legend: { orient: 'top' },
          scale: { domain: ['in time', 'late'], range: [COLOURS[0] ?? 'blue', COLOURS[1] ?? 'red'] },
        },
        order: { field: 'order', type: 'quantitative' },
      },
    },
    `Marks of ${total} learners, on average ${Math.round(100 * mean)} % of the points.`,
  );
}

/** More than all points can be had by hand. */
function binOf(share: number): number {
  return Math.min(BINS - 1, Math.floor(share * BINS + 1e-9));
}
