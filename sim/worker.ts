import { parentPort, workerData } from 'node:worker_threads';
import { addRun, emptyReport } from './report.ts';
import { runSeed } from './seed.ts';

/** Every how many-th seed is this worker's, from which to which. */
interface Share {
  readonly from: number;
  readonly to: number;
  readonly by: number;
}

const { from, to, by } = workerData as Share;
const report = emptyReport();
for (let seed = from; seed <= to; seed += by) addRun(report, seed, await runSeed(seed));
parentPort?.postMessage({ report });
