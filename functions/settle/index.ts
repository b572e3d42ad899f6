import { readEnv } from '@sluice/contracts';
import { tuneLimit } from '../../core/permits/tune.ts';
import { createObservability } from '../observability.ts';
import { wireTasks } from '../wiring.ts';
import { createHandler } from './handler.ts';

const { telemetry, observed } = createObservability('settle');

export const handler = observed(createHandler({ ...wireTasks(readEnv('settle', process.env), telemetry), tune: tuneLimit }));
