import Table from 'cli-table3';
import { readCommandLine } from '../bin/command-line.ts';
import { measureFarCosts } from './cost/far.ts';
import { measureCosts } from './cost/measure.ts';

const USAGE = `Counts the calls and the write units of one task in batches of ten, and holds them against what the design says at most.

  npm run bench:cost -- [--json]

  --json  prints the numbers as JSON on the last line`;

const { values } = readCommandLine(USAGE, { json: { type: 'boolean' } });

/** What the design says at most, for one task in batches of ten. */
const LIMITS: Readonly<Record<string, number>> = {
  'submit calls': 2,
  'event dispatch calls': 2.2,
  'event settle calls': 1.2,
  'wait dispatch calls': 3.3,
  'event write units with the list index': 4.3,
  'event write units': 3.3,
  'wait write units with the list index': 4.3,
  'wait write units': 3.3,
  // Beside the row's three: of the lane's cell, shared by what a batch has of one lane.
  'event extra write units in one lane': 0.3,
  'wait extra write units in one lane': 0.3,
  'event extra write units in ten lanes': 2.1,
  'wait extra write units in ten lanes': 2.1,
  // A batch of 500 for one minute is one item of a bucket; each KB of it is a unit.
  'bucket writes for 500 far away': 1,
  'far submit calls': 1.01,
  'far submit write units': 2.3,
  'calls to move 500 far away': 10,
};

/** @throws for what nothing says: it would never be over */
function limitOf(name: string): number {
  const limit = LIMITS[name];
  if (limit === undefined) throw new Error(`"${name}" is counted, and LIMITS does not say how much it may be`);
  return limit;
}

const counted: Record<string, number> = {};
const ROW_WRITES = 3;
for (const { mode, listIndex, lanes, costs } of await measureCosts()) {
  const { submit, dispatch, settle } = costs;
  const writeUnits = submit.writeUnits + dispatch.writeUnits + settle.writeUnits;
  if (!listIndex) counted[`${mode} extra write units in ${lanes === 1 ? 'one lane' : 'ten lanes'}`] = writeUnits - ROW_WRITES;
  if (lanes > 1) continue;
  counted['submit calls'] = submit.calls;
  counted[`${mode} dispatch calls`] = dispatch.calls;
  if (mode === 'event') counted['event settle calls'] = settle.calls;
  counted[`${mode} write units${listIndex ? ' with the list index' : ''}`] = writeUnits;
}
const far = await measureFarCosts();
counted['bucket writes for 500 far away'] = far.bucketWrites;
counted['far submit calls'] = far.submitCalls;
counted['far submit write units'] = far.submitWriteUnits;
counted['calls to move 500 far away'] = far.moveCalls;
const rounded = Object.fromEntries(Object.entries(counted).map(([name, value]) => [name, Math.round(value * 100) / 100]));
const table = new Table({
  head: ['for one task, in batches of ten', 'counted', 'at most'],
  colAligns: ['left', 'right', 'right'],
  style: { head: [], border: [] },
});
for (const [name, value] of Object.entries(rounded)) table.push([name, value, limitOf(name)]);
console.log(table.toString());
const over = Object.entries(rounded).filter(([name, value]) => value > limitOf(name));
for (const [name, value] of over) console.log(`over: ${name} ${value}`);
if (values.json) console.log(JSON.stringify(rounded));
process.exitCode = over.length === 0 ? 0 : 1;
