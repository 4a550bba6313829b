import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  constantSchedule,
  cosineSchedule,
  inverseSquareRootSchedule,
  linearSchedule,
  type Schedule,
} from '../../src/training/index.ts';

const file = new URL('./fixtures/reference.json', import.meta.url);
const { schedules } = z
  .object({ schedules: z.record(z.string(), z.array(z.number())) })
  .parse(JSON.parse(await readFile(file, 'utf8')));

const peak = 3e-4;
const ours: Record<string, Schedule> = {
  constant: constantSchedule({ peak, warmupSteps: 7 }),
  linear: linearSchedule({ peak, warmupSteps: 7, totalSteps: 60 }),
  linearCold: linearSchedule({ peak, totalSteps: 60 }),
  cosine: cosineSchedule({ peak, warmupSteps: 7, totalSteps: 60 }),
  cosineFloor: cosineSchedule({ peak, warmupSteps: 7, totalSteps: 60, floor: 0.1 }),
  inverseSquareRoot: inverseSquareRootSchedule({ peak, warmupSteps: 7 }),
};

describe('schedules', () => {
  it.each(Object.entries(ours))('%s gives the rates of transformers', (name, schedule) => {
    const expected = schedules[name] ?? [];
    expect(expected.length).toBeGreaterThanOrEqual(60);
    // Past its end the cosine of transformers rises again; ours stays where it ended.
    for (const [step, rate] of expected.slice(0, name === 'cosine' ? 60 : 70).entries()) {
      expect(Math.abs(schedule(step) - rate), `step ${step}`).toBeLessThan(1e-12);
    }
  });

  it('stays at its floor after the end', () => {
    expect(ours.cosine?.(1000)).toBe(0);
    expect(ours.cosineFloor?.(1000)).toBeCloseTo(peak / 10, 12);
  });

  it('refuses rates and lengths that make no sense', () => {
    expect(() => linearSchedule({ peak: -1, totalSteps: 5 })).toThrow('peak must not be negative, got -1');
    expect(() => linearSchedule({ peak, warmupSteps: 9, totalSteps: 5 })).toThrow('totalSteps (5)');
    expect(() => cosineSchedule({ peak, totalSteps: 5, floor: 2 })).toThrow('floor');
    expect(() => inverseSquareRootSchedule({ peak, warmupSteps: 0 })).toThrow('warm-up');
  });
});
