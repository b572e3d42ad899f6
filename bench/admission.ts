import type { Quota } from '@sluice/contracts';
import type { Clients } from '../adapters/aws/clients.ts';
import { admissionKey } from '../adapters/aws/keys.ts';
import { createMemoryTelemetry } from '../adapters/memory/index.ts';
import { systemClock as clock, systemRandom as random, systemTimer as timer } from '../adapters/system.ts';
import { readCommandLine } from '../bin/command-line.ts';
import type { Admission } from '../core/admission/admission.ts';
import { wireAdmission } from '../functions/admission.ts';

const USAGE = `Measures the memory that the gate of one environment of submit takes at its worst, and the time of one decision: a
hundred thousand tenants submit, all have a quota, and what control says names as many as it may. It is wired as submit
wires it, but for what answers for the table.

  npm run bench:admission -- [--json]

  --json  prints the numbers as JSON`;

const { values } = readCommandLine(USAGE, { json: { type: 'boolean' } });
const LIMIT_BYTES = 1_000_000;
const TENANTS = 100_000;
/** What a quota may say. */
const QUOTA: Quota = { guaranteed: 1, weight: 2, cap: 3, rate: 10, burst: 50, backlog: 1_000, maxAgeSeconds: 60, latencySensitive: true };
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

/** A table in which every tenant has a quota. It answers a read, and keeps nothing of what it is sent. */
const table = {
  send: async ({ input }: { readonly input: { readonly Key?: Readonly<Record<string, string>> } }): Promise<object> => {
    const { Key: key } = input;
    if (!key) return {};
    if (key['p'] === admissionKey('document')['p']) return { Item: { ...key, v: 1, json: documentText } };
    return { Item: { ...key, v: 1, quota: JSON.stringify(QUOTA), at: clock.now() } };
  },
};

const env = { SLUICE_TABLE: 'table', SLUICE_CONTROL_QUEUE_URL: 'https://queue.invalid', SLUICE_ADMISSION: { rate: 10 } };
const clients = { dynamodb: table, sqs: table } as unknown as Pick<Clients, 'dynamodb' | 'sqs'>;
const makeGate = (): Admission => wireAdmission(env, { clients, clock, timer, random, telemetry });

const fill = async (filled: Admission, tenants: number): Promise<void> => {
  for (let n = 0; n < tenants; n++) {
    await filled.ready(nameOf(n), 25);
    filled.admit(nameOf(n), 25);
    // What is read in the background comes in between.
    if (n % 100 === 0) await settled();
  }
  await settled();
  // So long at most somebody waits for a read.
  await timer.sleep(1_000);
};

// Code that is compiled when it is first used takes the same whatever comes: it is there before.
await fill(makeGate(), 3_000);
const before = heap();
const gate = makeGate();
await fill(gate, TENANTS);
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
