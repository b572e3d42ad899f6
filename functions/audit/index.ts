import { readEnv } from '@sluice/contracts';
import { createObservability } from '../observability.ts';
import { wireHints } from '../wiring.ts';
import { createHandler } from './handler.ts';

const { telemetry, observed } = createObservability('audit');

export const handler = observed(createHandler(wireHints(readEnv('audit', process.env), telemetry)));
