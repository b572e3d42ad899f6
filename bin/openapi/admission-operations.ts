import { heavyHittersQuerySchema, heavyHittersSchema, LIMITS, type HeavyHitters, type RouteName } from '@sluice/contracts';
import type { Operation } from './operation.ts';

const example: HeavyHitters = {
  at: '2029-12-24T18:00:00.000Z',
  offeredPerSecond: 1_200,
  refusedPerSecond: 450,
  pressed: true,
  targetPerSecond: 700,
  tenants: [
    { tenant: 'acme', offeredPerSecond: 900, refusedPerSecond: 450, share: 0.75, refusing: { code: 'throttled', part: 0.5 } },
    { tenant: 'globex', offeredPerSecond: 12, refusedPerSecond: 0, share: 0.01 },
  ],
};

export const ADMISSION_OPERATIONS = {
  heavyHitters: {
    tag: 'Operators',
    summary: 'Who submits most',
    description:
      `The tenants that submit most, 20 if nothing else is asked for and at most ${LIMITS.heavyHitters}, and of whom something is refused, as it was some seconds ago. ` +
      'Rates are estimates, exact for whoever is among the largest for some seconds. While little is submitted nothing is told.',
    query: heavyHittersQuerySchema,
    success: { 200: { description: 'The largest first.', schema: heavyHittersSchema, example } },
    codes: ['bad_request'],
  },
} as const satisfies Partial<Record<RouteName, Operation>>;
