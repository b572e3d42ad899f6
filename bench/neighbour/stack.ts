import type { StartMode } from '@sluice/contracts';
import { join } from 'node:path';
import { TaskType } from '../../lib/index.ts';
import { benchPlatform } from '../stack/platform.ts';

/** Attempts of one tenant at once: with tasks of half a second a lane works off two a second at most. */
const CONCURRENCY = 1;

/** Synthesises the platform as `npm run dev` has it, with one task type. */
export function synthesiseNeighbours(outdir: string, runsFile: string, start: StartMode): void {
  const { app, stack, platform, functionOf } = benchPlatform(outdir, runsFile, 3);
  const handler = functionOf('Handler', join(import.meta.dirname, 'handler.ts'));
  new TaskType(stack, 'Work', { platform, handler, start, concurrency: CONCURRENCY });
  app.synth();
}
