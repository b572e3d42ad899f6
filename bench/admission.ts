import type { AdmissionDocument } from '@sluice/contracts';
import { createMemoryAdmissionStore, createMemoryControlQueue, createMemoryTelemetry } from '../adapters/memory/index.ts';
import { systemClock as clock, systemRandom as random } from '../adapters/system.ts';
import { readCommandLine } from '../bin/command-line.ts';
import { createAdmission } from '../core/admission/admission.ts';
import { createAdmissionFeed } from '../core/admission/feed.ts';

const USAGE = `Measures the memory that the gate of one environment of submit takes at its worst, and the time of one decision: a
hundred thousand tenants submit, all have a rate, and what control says names as many as it may.

  npm run bench:admission -- [--json]

  --json  prints the numbers as JSON`;

const { values } = readCommandLine(USAGE, { json: { type: 'boolean' } });
const LIMIT_BYTES = 1_000_000;
const TENANTS = 100_000;
/** As long as names may be. */
const nameOf = (n: number) => `tenant-${n}-`.padEnd(64, 'x');

const { gc } = globalThis;
if (!gc) throw new Error('run it with --expose-gc, as npm run bench:admission does');
const heap = (): number => {
  gc();
  gc();
  return process.memoryUsage().heapUsed;
};
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

const telemetry = { ...createMemoryTelemetry(), log: () => undefined, count: () => undefined };
const stored = createMemoryAdmissionStore();
const documentText = JSON.stringify({
  v: 1,
  at: clock.now(),
  environments: 100,
  offered: 10_000,
  refused: 100,
  tenants: Array.from({ length: 200 }, (_, n) => ({
    tenant: nameOf(n),
    offered: 100,
    refused: 1,
    rate: 10,
    burst: 50,
    refuse: { code: 'throttled', part: 0.01, waitSeconds: 10 },
  })),
});

const before = heap();
const feed = createAdmissionFeed({
  // Reports are not kept: they are on their way to the table.
  admissions: { ...stored, putReport: async () => undefined, document: async () => JSON.parse(documentText) as AdmissionDocument },
  bounds: { bounds: async () => ({ rate: 10, burst: 50 }) },
  control: createMemoryControlQueue(),
  clock,
  random,
  telemetry,
});
const gate = createAdmission({ feed, clock, random, telemetry, bounds: { rate: 10 } });
for (let n = 0; n < TENANTS; n++) {
  gate.admit(nameOf(n), 25);
  // What is read in the background comes in between.
  if (n % 100 === 0) await settled();
}
await settled();
const bytes = heap() - before;

const CALLS = 200_000;
const names = Array.from({ length: 1_000 }, (_, n) => nameOf(n));
const start = process.hrtime.bigint();
for (let n = 0; n < CALLS; n++) gate.admit(names[n % names.length] ?? '', 1);
const microseconds = Number(process.hrtime.bigint() - start) / 1_000 / CALLS;

const result = { bytes, limitBytes: LIMIT_BYTES, microsecondsPerCall: Math.round(microseconds * 100) / 100 };
if (values.json) console.log(JSON.stringify(result));
else console.log(`${bytes} bytes of at most ${LIMIT_BYTES}; ${result.microsecondsPerCall} µs a decision`);
process.exitCode = bytes <= LIMIT_BYTES ? 0 : 1;
