import type { RunCounts, TaskTypeSpec } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import {
  createMemoryClock,
  createMemoryStartStore,
  createMemoryTelemetry,
  createMemoryTypeRegistry,
} from '../../../adapters/memory/index.ts';
import { chooseStarts, startStep } from '../../../core/starts/control-step.ts';
import { portsThrough } from '../../../sim/ports.ts';
import { T0 } from '../../helpers/samples.ts';
import { typeSpec } from '../../helpers/world.ts';

const auto = (type: string, over: Partial<TaskTypeSpec> = {}) => typeSpec(type, { start: 'auto', timeoutSeconds: 10, ...over });
const QUICK: RunCounts = { runs: 1_000, slow: 0, long: 0 };
const LONG: RunCounts = { runs: 60, slow: 60, long: 60 };

function world(...specs: TaskTypeSpec[]) {
  const clock = createMemoryClock(T0);
  const types = createMemoryTypeRegistry(specs);
  const deps = { clock, types, starts: createMemoryStartStore({ clock }), telemetry: createMemoryTelemetry() };
  const modes = async () => Object.fromEntries((await deps.starts.all()).map(({ type, mode }) => [type, mode]));
  const count = async (type: string, counts: RunCounts) => {
    const choice = await deps.starts.known(type);
    if (!choice) throw new Error(`no choice of ${type}`);
    await deps.starts.add(choice, counts);
  };
  const round = async (ports = deps) => {
    clock.advance(60_000);
    await chooseStarts(ports);
  };
  return { clock, types, deps, modes, count, round };
}

describe('the step of control', () => {
  it('begins to measure types that choose how they are started, and no others', async () => {
    const { modes, round } = world(
      auto('short'),
      auto('long', { timeoutSeconds: 31 }),
      typeSpec('event'),
      typeSpec('wait', { start: 'wait' }),
    );
    await round();
    expect(await modes()).toEqual({ short: 'event' });
  });

  it('does nothing in a round that something else has caused', async () => {
    const { deps, modes } = world(auto('short'));
    const step = startStep(deps);
    await step.run({ now: T0, deadline: T0 + 60_000, minute: false, told: [] });
    expect(await modes()).toEqual({});
    await step.run({ now: T0, deadline: T0 + 60_000, minute: true, told: [] });
    expect(await modes()).toEqual({ short: 'event' });
  });

  it('goes there and back, each by what was measured since', async () => {
    const { deps, modes, count, round } = world(auto('short'));
    await round();
    await count('short', QUICK);
    await round();
    expect(await modes()).toEqual({ short: 'wait' });
    // What was counted before says nothing any more.
    await round();
    await count('short', LONG);
    await round();
    expect(await modes()).toEqual({ short: 'event' });
    expect([deps.telemetry.total('start.to_wait', 'short'), deps.telemetry.total('start.to_event', 'short')]).toEqual([1, 1]);
  });

  it('measures anew after each thousand, so that old runs do not hide new ones', async () => {
    const { modes, count, round } = world(auto('short'));
    await round();
    await count('short', { runs: 5_000, slow: 5_000, long: 5_000 });
    await round();
    expect(await modes()).toEqual({ short: 'event' });
    await count('short', QUICK);
    await round();
    expect(await modes()).toEqual({ short: 'wait' });
  });

  it('forgets the choice of a type that is gone or does not choose any more', async () => {
    const { types, modes, count, round } = world(auto('short'), auto('gone'));
    await round();
    await count('short', QUICK);
    await round();
    await types.put(typeSpec('short', { start: 'event' }));
    await types.remove('gone');
    await round();
    expect(await modes()).toEqual({});
    await types.put(auto('short'));
    await round();
    expect(await modes()).toEqual({ short: 'event' });
  });

  it('is one write, of which only one of two rounds makes one', async () => {
    const { deps, modes, count, round } = world(auto('short'));
    await round();
    await count('short', QUICK);
    await Promise.all([round(), round()]);
    expect(await modes()).toEqual({ short: 'wait' });
    expect(deps.telemetry.total('start.to_wait', 'short')).toBe(1);
  });

  it('reads for each such type once, and for others nothing', async () => {
    const { deps, round } = world(auto('short'), typeSpec('event'));
    await round();
    const calls: string[] = [];
    await round({ ...deps, ...portsThrough({ starts: deps.starts }, ({ at, apply }) => (calls.push(at), apply())) });
    expect(calls).toEqual(['starts.all', 'starts.counted']);
  });

  it.each(['starts.counted', 'starts.write'])('that dies at %s leaves a choice that the next round goes on from', async (place) => {
    for (const applied of [false, true]) {
      const { deps, modes, count, round } = world(auto('short'));
      await round();
      await count('short', QUICK);
      const dying = portsThrough({ starts: deps.starts }, async ({ at, apply }) => {
        if (at === place && !applied) throw new Error('dead');
        const answer = await apply();
        if (at === place) throw new Error('dead');
        return answer;
      });
      await expect(round({ ...deps, ...dying })).rejects.toThrow('dead');
      await round();
      expect(await modes()).toEqual({ short: 'wait' });
    }
  });
});
