import Table from 'cli-table3';
import { readCommandLine } from '../bin/command-line.ts';
import { measureDelays, measureOneSecond } from './delays/measure.ts';

const USAGE = `Measures how late tasks with a delay start, in virtual time: with calls that take their time and ticks that come late, and
when a great many are due in one second. None may start early.

  npm run bench:delays -- [--json]

  --json  prints the numbers as JSON on the last line`;

const { values } = readCommandLine(USAGE, { json: { type: 'boolean' } });
const SECOND = 1000;
/** ms that a start may be late, with calls that take their time and ticks that come up to a minute late. */
const LATE_LIMIT_MS = SECOND;
const ALL_STARTED_LIMIT_MS = 5 * SECOND;

const delays = await measureDelays();
const oneSecond = [];
for (const tick of ['in time', 'at random', 'a minute late'] as const) oneSecond.push(await measureOneSecond(tick));

const style = { head: [], border: [] };
const table = new Table({ head: ['delay', 'tasks', 'early', 'late ms, p50', 'p99', 'max'], style });
for (const { delay, tasks, early, p50, p99, max } of delays) table.push([delay, tasks, early, p50, p99, max]);
console.log(table.toString());
const columns = [
  'tick',
  'tasks',
  'lanes',
  'bucket writes',
  'a batch of 500',
  'mover calls',
  'early',
  'late ms, p50',
  'p99',
  'all started after ms',
];
const second = new Table({ head: columns, style });
for (const run of oneSecond) {
  const { tick, tasks, lanes, bucketWrites, moverSends, early, p50, p99, max } = run;
  second.push([tick, tasks, lanes, bucketWrites, bucketWrites / (tasks / 500), moverSends, early, p50, p99, max]);
}
console.log(second.toString());

const faults = [
  ...delays.flatMap(({ delay, early, max }) =>
    early > 0 || max > LATE_LIMIT_MS ? [`delay of ${delay}: ${early} early, ${max} ms late`] : [],
  ),
  ...oneSecond.flatMap(({ tick, early, max, bucketWrites, tasks }) =>
    early > 0 || max > ALL_STARTED_LIMIT_MS || bucketWrites > tasks / 500
      ? [`one second, tick ${tick}: ${early} early, ${max} ms late, ${bucketWrites} bucket writes`]
      : [],
  ),
];
for (const fault of faults) console.log(`over: ${fault}`);
if (values.json) console.log(JSON.stringify({ delays, oneSecond }));
process.exitCode = faults.length === 0 ? 0 : 1;
