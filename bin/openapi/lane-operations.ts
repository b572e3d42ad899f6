import {
  breakerKeySchema,
  breakerListQuerySchema,
  breakerListSchema,
  breakerViewSchema,
  laneListQuerySchema,
  laneListSchema,
  laneQuerySchema,
  laneViewSchema,
  LIMITS,
  taskTypeNameSchema,
  type BreakerView,
  type LaneSummary,
  type LaneView,
  type RouteName,
} from '@sluice/contracts';
import * as z from 'zod';
import type { Operation } from './operation.ts';

const [at, later] = ['2029-12-24T18:00:00.000Z', '2029-12-24T18:00:05.000Z'];
const lane: LaneSummary = {
  tenant: 'acme',
  type: 'charge',
  inFlight: 8,
  limit: 8,
  limitedBy: { by: 'resource', name: 'stripe-api' },
  waiting: { tasks: 41, more: false, oldestDueAt: at, oldestAgeSeconds: 12 },
  breaker: 'closed',
  why: { code: 'full', message: '8 attempts are in flight and 8 may be: that is its part of resource stripe-api, which is used up' },
};
const none = { tasks: 0, more: false };
const view: LaneView = {
  ...lane,
  limits: {
    concurrency: 10,
    adaptive: 10,
    share: 8,
    capacities: [{ by: 'resource', name: 'stripe-api', attempts: 20, given: 20 }],
    rates: [{ limit: 100, perSeconds: 1 }],
    retries: 60,
  },
  waitingByClass: { high: none, normal: { tasks: 41, more: false, oldestDueAt: at, oldestAgeSeconds: 12 }, low: none },
  waitingForBudget: none,
};
const breaker: BreakerView = {
  breaker: 'type:charge',
  state: 'open',
  since: at,
  openedAt: at,
  nextProbeAt: later,
  why: {
    message:
      'attempts of 3 different tasks of 2 tenants crashed, and 0 that began in that time did not: it is all of them, so none starts before the next probe',
    crashedTasks: 3,
    tenants: ['acme', 'globex'],
    from: at,
    to: at,
    otherAttempts: 0,
  },
  held: { tasks: 41, more: false, oldestDueAt: at, oldestAgeSeconds: 12, lanes: 2 },
};

/** What is asked about lanes and breakers. */
export const LANE_OPERATIONS = {
  listLanes: {
    tag: 'Operators',
    summary: 'List lanes',
    description:
      `The lanes of the tenant that are in use, by type, with their limits, what waits in their backlogs, and why they start no more: 50 to a page if nothing else is asked for and at most ${LIMITS.lanePage}. A page may be empty and yet have a cursor. ` +
      'With the scope `platform` those of another tenant (`tenant`), or of all that are known (`tenant=*`).',
    query: laneListQuerySchema,
    success: { 200: { description: 'A page.', schema: laneListSchema, example: { lanes: [lane] } } },
    codes: ['bad_request', 'bad_cursor'],
  },
  getLane: {
    tag: 'Operators',
    summary: 'Get a lane',
    description:
      "The tenant's lane of a task type, in use or not: what makes its limit, what waits by class, and why it starts no more. With the scope `platform` that of another tenant (`tenant`).",
    path: z.object({ type: taskTypeNameSchema.meta({ description: 'The task type.' }) }),
    query: laneQuerySchema,
    success: { 200: { description: 'The lane.', schema: laneViewSchema, example: view } },
    codes: ['bad_request', 'not_found'],
  },
  listBreakers: {
    tag: 'Operators',
    summary: 'List breakers',
    description:
      'The breakers that have seen a crash within a day or are not closed, those that are not closed first, with what they saw and what they hold.',
    query: breakerListQuerySchema,
    success: { 200: { description: 'All of them.', schema: breakerListSchema, example: { breakers: [breaker] } } },
    codes: ['bad_request'],
  },
  getBreaker: {
    tag: 'Operators',
    summary: 'Get a breaker',
    description:
      'The breaker of a deployed task type (`type:` and its name) or resource (`resource:` and its name). One that never saw a crash is closed.',
    path: z.object({ breaker: breakerKeySchema.meta({ description: 'Its name.' }) }),
    success: { 200: { description: 'The breaker.', schema: breakerViewSchema, example: breaker } },
    codes: ['bad_request', 'not_found'],
  },
} as const satisfies Partial<Record<RouteName, Operation>>;
