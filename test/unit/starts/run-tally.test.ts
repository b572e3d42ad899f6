import type { Outcome, StartChoice, StartMode } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { createMemoryClock, createMemoryStartStore, createMemoryTelemetry } from '../../../adapters/memory/index.ts';
import { runTime } from '../../../core/settle/measure-attempt.ts';
import { createRunTally, noteRun, tellRuns } from '../../../core/starts/run-tally.ts';
import { outcomeSample, runningRow, runOf, T0 } from '../../helpers/samples.ts';
import { typeSpec } from '../../helpers/world.ts';

const auto = typeSpec('echo', { start: 'auto', timeoutSeconds: 10 });
const choice: StartChoice = { v: 1, type: 'echo', mode: 'event', since: T0 };

describe('how long a run took', () => {
  const timed = (mode: StartMode, outcome: Partial<Outcome>) => runTime(runningRow({ run: runOf({ mode }) }), outcomeSample(outcome));

  it('is from the beginning that the kit tells, or that `wait` has seen', () => {
    expect(timed('event', { startedAt: T0 + 400, at: T0 + 700 })).toBe(300);
    expect(timed('wait', { startedAt: T0 + 20, at: T0 + 700 })).toBe(680);
  });

  it('is from the claim for a plain handler by event: never too short', () => {
    expect(timed('event', { at: T0 + 700 })).toBe(700);
  });

  it('is nothing where no handler ran', () => {
    expect(timed('event', { class: 'lost', at: T0 + 90_000 })).toBeUndefined();
    expect(timed('wait', { class: 'undone' })).toBeUndefined();
    expect(timed('event', { class: 'throttled' })).toBeUndefined();
  });
});

async function world(known: StartChoice | undefined = choice) {
  const clock = createMemoryClock(T0);
  const [starts, telemetry, runTally] = [createMemoryStartStore({ clock }), createMemoryTelemetry(), createRunTally()];
  if (known) await starts.write(known, undefined);
  const deps = { clock, starts, telemetry, runTally };
  const note = (ms: number, over: Partial<Outcome> = {}, mode: StartMode = 'event', spec = auto) =>
    noteRun(deps, spec, runningRow({ run: runOf({ mode }) }), outcomeSample({ startedAt: T0, at: T0 + ms, ...over }));
  return { clock, starts, telemetry, deps, note };
}

describe('an environment', () => {
  it('counts what it sees, and tells it once, 30 s after the first', async () => {
    const { clock, starts, deps, note } = await world();
    for (const ms of [1, 500, 501, 1_000, 1_001]) await note(ms);
    clock.advance(29_999);
    await tellRuns(deps);
    expect(await starts.counted(choice)).toEqual({ runs: 0, slow: 0, long: 0 });
    clock.advance(1);
    await tellRuns(deps);
    await tellRuns(deps);
    expect(await starts.counted(choice)).toEqual({ runs: 5, slow: 3, long: 1 });
  });

  it.each([
    ['a quick failure', { class: 'retryable' } as const, 100, { runs: 0, slow: 0, long: 0 }],
    ['a slow failure', { class: 'retryable' } as const, 700, { runs: 1, slow: 1, long: 0 }],
    ['a time-out', { class: 'crashed', startedAt: undefined } as const, 10_000, { runs: 1, slow: 1, long: 1 }],
    ['an event that became too old', { class: 'throttled', startedAt: undefined } as const, 60_000, { runs: 0, slow: 0, long: 0 }],
    ['a lost attempt', { class: 'lost', startedAt: undefined } as const, 90_000, { runs: 0, slow: 0, long: 0 }],
  ])('takes %s for what it says of run times', async (_, outcome, ms, counts) => {
    const { clock, starts, deps, note } = await world();
    await note(ms, outcome);
    clock.advance(30_000);
    await tellRuns(deps);
    expect(await starts.counted(choice)).toEqual(counts);
  });

  it('leaves out what was started otherwise than is chosen, and types that do not choose', async () => {
    const { clock, starts, deps, note } = await world();
    await note(1, {}, 'wait');
    await note(1, {}, 'event', typeSpec('echo'));
    await note(1, {}, 'event', { ...auto, timeoutSeconds: 31 });
    clock.advance(30_000);
    await tellRuns(deps);
    expect(await starts.counted(choice)).toEqual({ runs: 0, slow: 0, long: 0 });
  });

  it('counts nothing before there is a choice, and forgets what it counted under an old one', async () => {
    const { clock, starts, deps, note } = await world(undefined);
    await note(1);
    await starts.write(choice, undefined);
    await note(1);
    const next = { ...choice, since: T0 + 1 };
    await starts.write(next, choice);
    await note(1);
    clock.advance(30_000);
    await tellRuns(deps);
    expect([await starts.counted(choice), await starts.counted(next)].map(({ runs }) => runs)).toEqual([0, 1]);
  });

  it('drops what it could not tell, rather than to tell it twice', async () => {
    const { clock, starts, telemetry, deps, note } = await world();
    await note(1);
    clock.advance(30_000);
    const add = async () => {
      throw new Error('no answer');
    };
    await tellRuns({ ...deps, starts: { ...starts, add } });
    await tellRuns(deps);
    expect(await starts.counted(choice)).toEqual({ runs: 0, slow: 0, long: 0 });
    expect(telemetry.lines().map(({ message }) => message)).toEqual(['run times were not told']);
  });

  it('goes on where the choice is not known', async () => {
    const { deps, starts, telemetry } = await world();
    const known = async () => {
      throw new Error('no answer');
    };
    await noteRun({ ...deps, starts: { ...starts, known } }, auto, runningRow(), outcomeSample());
    expect(telemetry.lines().map(({ message }) => message)).toEqual(['a run was not counted']);
  });
});
