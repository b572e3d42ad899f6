import { SYSTEM_TYPES, TERMINAL_STATES, type TaskTypeSpec } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { cancelTask } from '../../../core/api/cancel-task.ts';
import { retryTask } from '../../../core/api/retry-task.ts';
import { faultAt, traced, type Fault } from '../../helpers/faults.ts';
import { createNotifiedWorld, HOOK, type NotifiedWorld } from '../../helpers/notified-world.ts';
import { typeSpec, type World, type WorldDeps } from '../../helpers/world.ts';

const NOTIFY: TaskTypeSpec['notify'] = { events: [...TERMINAL_STATES], webhook: { url: HOOK }, queue: { name: 'ends' } };
const TYPES = [
  typeSpec('echo', { notify: NOTIFY, retry: { maxAttempts: 1, minDelaySeconds: 1, maxDelaySeconds: 1, factor: 1 } }),
  typeSpec('short', { notify: NOTIFY, start: 'wait', timeoutSeconds: 10, concurrency: 1 }),
];
/** A result that is kept beside its row, so that to tell it is one call more. */
const LARGE = 'x'.repeat(1_000);

/** One invocation that ends a task, and what comes before it. */
interface Scenario {
  readonly type: 'echo' | 'short';
  readonly fails?: boolean;
  /** The handler never answers. */
  readonly vanishes?: boolean;
  readonly submission?: object;
  /** Until just before the end. */
  readonly before?: (world: World) => Promise<unknown>;
  readonly end: (world: World, ports: WorldDeps) => Promise<unknown>;
}

const settle = (world: World, ports: WorldDeps) => world.settleOnce(ports);
const dispatch = (world: World, ports: WorldDeps) => world.dispatchOnce(ports);
const started = (world: World) => world.dispatchOnce();
const failed = async (world: World) => {
  await world.dispatchOnce();
  // Settled, but nobody was told.
  await world.settleOnce(faultAt(world.deps, 'events.publish', 'die')).catch(() => undefined);
};

const SCENARIOS: Record<string, Scenario> = {
  'a record of a success': { type: 'echo', before: started, end: settle },
  'a record of a failure': { type: 'echo', fails: true, before: started, end: settle },
  'the reply of a success': { type: 'short', end: dispatch },
  'the reply of a failure': { type: 'short', fails: true, end: dispatch },
  'the third lease that ends without an outcome': {
    type: 'echo',
    vanishes: true,
    before: async (world) => {
      const lost = async () => (await world.row('a', 't')).lost;
      while ((await lost()) < 2 || (await world.row('a', 't')).state !== 'running') {
        await world.dispatchOnce();
        world.clock.set(world.queue.nextVisibleAt() ?? world.clock.now());
      }
      world.clock.set((await world.row('a', 't')).run?.leaseEnd ?? 0);
    },
    end: dispatch,
  },
  'an expiry': {
    type: 'echo',
    submission: { delaySeconds: 10, expiresAt: '2026-01-01T00:00:20Z' },
    before: async (world) => world.clock.set((await world.row('a', 't')).at + 15_000),
    end: dispatch,
  },
  'a cancellation': { type: 'echo', end: (_, ports) => cancelTask(ports, 'a', 't') },
  'a cancellation of a task that is far away': {
    type: 'echo',
    submission: { delaySeconds: 2_000 },
    end: (_, ports) => cancelTask(ports, 'a', 't'),
  },
  'the end of an attempt that was asked to stop': {
    type: 'echo',
    fails: true,
    before: async (world) => {
      await world.dispatchOnce();
      await cancelTask(world.deps, 'a', 't');
    },
    end: settle,
  },
  'a submission that frees the id of a failure': {
    type: 'echo',
    fails: true,
    before: failed,
    end: (world, ports) => world.submitBy(ports, 'a', { type: 'echo', id: 't' }),
  },
  'a retry of a failure': { type: 'echo', fails: true, before: failed, end: (_, ports) => retryTask(ports, 'a', 't') },
};

async function worldOf({ type, fails, vanishes, submission, before }: Scenario): Promise<NotifiedWorld> {
  const handler = () => {
    if (fails) throw Object.assign(new Error('no'), { name: 'FatalError' });
    return LARGE;
  };
  const made = await createNotifiedWorld(TYPES, { echo: handler, short: handler }, undefined, {
    before: (spec) => (vanishes && spec.type !== SYSTEM_TYPES.notify ? { kind: 'started' } : undefined),
  });
  const [result] = await made.world.submit('a', { type, id: 't', ...submission });
  expect(result).toMatchObject({ ok: true });
  await before?.(made.world);
  return made;
}

/** Every end that there was is told over every channel, with one id each, and by one delivery each. */
function checkTold({ world, webhooks, messages }: NotifiedWorld, where: string): void {
  const all = [...world.tasks.rows(), ...world.tasks.archived()];
  const ends = new Set(all.filter((row) => row.type !== SYSTEM_TYPES.notify).map((row) => `${row.uid}:${row.state}`));
  expect(new Set(world.events.events().map((event) => event.eventId)), `${where}: events`).toEqual(ends);
  expect(new Set(webhooks.sent().map(({ headers }) => headers['webhook-id'])), `${where}: webhooks`).toEqual(ends);
  expect(new Set(messages.sent().map((message) => message.eventId)), `${where}: messages`).toEqual(ends);
  const deliveries = world.tasks.rows().filter((row) => row.type === SYSTEM_TYPES.notify);
  expect(
    deliveries.map((row) => row.state),
    `${where}: deliveries`,
  ).toEqual(Array.from({ length: 2 * ends.size }, () => 'succeeded'));
  // One task for each delivery, whoever submitted it how often.
  expect(webhooks.sent(), `${where}: calls`).toHaveLength(ends.size);
}

const FAULTS: readonly Fault[] = ['fail', 'ambiguous', 'die', 'die-after'];

describe.each(Object.entries(SCENARIOS))('an end by %s', (_, scenario) => {
  it('is told once where nothing goes wrong', async () => {
    const made = await worldOf(scenario);
    await scenario.end(made.world, made.world.deps);
    await made.settleAll();
    checkTold(made, 'no fault');
  });

  it('is told whatever call of it fails, is ambiguous or its last', async () => {
    const first = await worldOf(scenario);
    const { deps, calls } = traced(first.world.deps);
    await scenario.end(first.world, deps);
    const sites = calls.map(({ at }, n) => ({ at, nth: calls.slice(0, n + 1).filter((call) => call.at === at).length }));
    // The deliveries are among them.
    expect(sites.filter(({ at }) => at === 'tasks.insert').length).toBeGreaterThanOrEqual(2);
    for (const { at, nth } of sites) {
      for (const fault of FAULTS) {
        const made = await worldOf(scenario);
        const ports = faultAt(made.world.deps, at, fault, nth);
        await Promise.resolve(scenario.end(made.world, ports)).catch(() => undefined);
        await made.settleAll();
        checkTold(made, `${fault} at ${at} ${nth}`);
      }
    }
  });
});
