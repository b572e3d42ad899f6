import { METRICS } from '@sluice/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createObservability } from '../../../functions/observability.ts';
import { audit } from '../../../core/audit/audit.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const TYPES = ['mail', 'thumbnail', 'import'];
const TASKS_OF_A_TENANT = 4;

let lines: string[] = [];
beforeEach(() => {
  lines = [];
  vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', 'Sluice/test');
  const write = (chunk: string | Uint8Array) => (lines.push(...String(chunk).trim().split('\n')), true);
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

interface Emf {
  readonly _aws?: { readonly CloudWatchMetrics: readonly { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[] };
  readonly [key: string]: unknown;
}

/** What CloudWatch would bill: each metric with each value of each set of dimensions, from the lines that were written. */
function seriesOf(written: readonly string[]): Set<string> {
  const series = new Set<string>();
  for (const line of written.map((text) => JSON.parse(text) as Emf)) {
    for (const { Namespace, Dimensions, Metrics } of line._aws?.CloudWatchMetrics ?? []) {
      for (const set of Dimensions) {
        const dimensions = set.map((name) => `${name}=${String(line[name])}`).join(',');
        for (const { Name } of Metrics) series.add(`${Namespace} ${Name} {${dimensions}}`);
      }
    }
  }
  return series;
}

/** A day of so many tenants: tasks that succeed, fail, are throttled and wait in full lanes, and calls that are wrong. */
async function runTenants(tenants: number): Promise<void> {
  const { telemetry, flush } = createObservability('test');
  const tries = new Map<string, number>();
  const world = createWorld({
    types: TYPES.map((type) =>
      typeSpec(type, { concurrency: 1, retry: { maxAttempts: 2, minDelaySeconds: 1, maxDelaySeconds: 1, factor: 1 } }),
    ),
    handlers: Object.fromEntries(
      TYPES.map((type) => [
        type,
        ({ sluice }) => {
          const key = `${sluice.tenant}/${sluice.task}`;
          const before = tries.get(key) ?? 0;
          tries.set(key, before + 1);
          if (sluice.task === '0') throw Object.assign(new Error('no'), { name: 'FatalError' });
          if (sluice.task === '1' && before === 0) throw Object.assign(new Error('slow down'), { name: 'ThrottledError' });
          return { ok: true };
        },
      ]),
    ),
  });
  // One invocation after the other attends to thousands of lanes, which in a day's course do it at once: it takes no time here.
  const ports = { ...world.deps, telemetry, timer: { sleep: async () => undefined } };
  for (let n = 0; n < tenants; n++) {
    const tenant = `tenant-${n}`;
    const type = TYPES[n % TYPES.length];
    const tasks = Array.from({ length: TASKS_OF_A_TENANT }, (_, i) => ({ type, id: String(i) }));
    await world.submitBy(ports, tenant, ...tasks, { type, id: '2' }, { type: `made-up-${n}` }, { type, payload: 1, delaySeconds: -1 });
  }
  for (let minute = 0; minute < 3; minute++) {
    while (await world.dispatchOnce(ports, 1_000)) await world.starter.idle();
    while (await world.settleOnce(ports, 1_000));
    await world.tick(ports);
    world.clock.advance(60_000);
  }
  await audit(ports, { deadline: world.clock.now() + 60_000, paceMs: 0 });
  flush();
}

describe('the metrics that are written', () => {
  it('are as many series for thousands of tenants as for a few', async () => {
    await runTenants(30);
    const few = seriesOf(lines);
    lines = [];
    await runTenants(2_000);
    const many = seriesOf(lines);

    expect([...many].sort()).toEqual([...few].sort());
    expect(many.size).toBeLessThanOrEqual(Object.keys(METRICS).length * (TYPES.length + 1));
    expect([...many].filter((name) => /tenant|made-up/.test(name))).toEqual([]);
    // Not because nothing was written: all that a day brings is among them.
    for (const name of [
      'submit.accepted',
      'submit.deduplicated',
      'hint.parked',
      'backlog.size',
      'backlog.age',
      'lane.use',
      'task.wait_time',
    ]) {
      for (const type of TYPES) expect(many).toContain(`Sluice/test ${name} {type=${type}}`);
    }
    for (const name of ['task.succeeded', 'task.failed', 'attempt.fatal', 'attempt.throttled', 'attempt.run_time']) {
      for (const type of TYPES) expect(many).toContain(`Sluice/test ${name} {type=${type}}`);
    }
    for (const name of ['submit.refused', 'tick.late', 'audit.found']) expect(many).toContain(`Sluice/test ${name} {}`);
  });
});
