import { readEnv } from '@sluice/contracts';
import { createAdmissionStore } from '../../adapters/aws/admission-store.ts';
import { admissionStep } from '../../core/admission/control-step.ts';
import type { ControlStep } from '../../core/control/round.ts';
import { wireBounds } from '../admission.ts';
import { createObservability } from '../observability.ts';
import { wireHints } from '../wiring.ts';
import { createHandler } from './handler.ts';

const { telemetry, observed } = createObservability('control');
const env = readEnv('control', process.env);
const deps = wireHints(env, telemetry);
const table = env.SLUICE_TABLE;

/** In this order. */
const steps: readonly ControlStep[] = [
  admissionStep({
    ...deps,
    admissions: createAdmissionStore(deps.clients.dynamodb, { table, telemetry }),
    bounds: wireBounds(),
    commonBounds: env.SLUICE_ADMISSION,
    depth: async () => undefined,
  }),
];

export const handler = observed(createHandler({ ...deps, steps }));
