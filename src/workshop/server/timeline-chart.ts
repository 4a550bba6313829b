/** Checks over time, for the dashboard. */

import { type Chart, COLOURS, chart } from '../../plots/chart.ts';
import type { Bucket } from '../store/checks.ts';

/** Stacked bars a minute: passed below, not passed above. */
export function timelineChart(buckets: readonly Bucket[]): Chart {
  const values = buckets.flatMap(({ at, checks, passes }) => [
    { at: at.toISOString(), kind: 'passed', count: passes, order: 0 },
    { at: at.toISOString(), kind: 'not passed', count: checks - passes, order: 1 },
  ]);
  const total = buckets.reduce((sum, { checks }) => sum + checks, 0);
  const passed = buckets.reduce((sum, { passes }) => sum + passes, 0);
  return chart(
    {
      width: 900,
      height: 260,
      data: { values },
      mark: { type: 'bar' },
      encoding: {
        x: { field: 'at', type: 'temporal', timeUnit: 'yearmonthdatehoursminutes', title: 'time' },
        y: { field: 'count', type: 'quantitative', title: 'checks', axis: { tickMinStep: 1 } },
        color: {
          field: 'kind',
          type: 'nominal',
          title: null,
          scale: { domain: ['passed', 'not passed'], range: [COLOURS[2] ?? 'green', COLOURS[1] ?? 'red'] },
        },
        order: { field: 'order', type: 'quantitative' },
      },
    },
    `Checks over time: ${total} in all, ${passed} of them passed.`,
  );
}
