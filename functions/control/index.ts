import { readEnv } from '@sluice/contracts';
import type { ControlStep } from '../../core/control/round.ts';
import { createObservability } from '../observability.ts';
import { wireHints } from '../wiring.ts';
import { createHandler } from './handler.ts';

const { telemetry, observed } = createObservability('control');
const deps = wireHints(readEnv('control', process.env), telemetry);

/** In this order. */
const steps: readonly ControlStep[] = [];

export const handler = observed(createHandler({ ...deps, steps }));
