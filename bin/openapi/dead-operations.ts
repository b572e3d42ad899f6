import {
  deadResponseSchema,
  LIMITS,
  listDeadQuerySchema,
  listRedrivesQuerySchema,
  redriveListSchema,
  redrivePlanSchema,
  redriveRequestSchema,
  redriveSchema,
  uidSchema,
  type DeadTask,
  type Redrive,
  type RouteName,
} from '@sluice/contracts';
import * as z from 'zod';
import { accepted, summary } from './examples.ts';
import type { Operation } from './operation.ts';

const { uid } = accepted;
const dead: DeadTask = {
  id: summary.id,
  uid,
  tenant: summary.tenant,
  type: summary.type,
  reason: 'attempts_exhausted',
  error: { name: 'TypeError', message: 'no image' },
  priority: 'high',
  labels: { order: '4711' },
  attempts: 5,
  lost: 0,
  acceptedAt: '2029-12-24T18:00:00.000Z',
  failedAt: '2029-12-24T18:07:41.350Z',
};
const redrive: Redrive = {
  id: uid,
  state: 'canary',
  filter: { type: 'thumbnail', error: 'TypeError' },
  ratePerSecond: 50,
  canary: { tasks: 10, maxFailureShare: 0.2, waitSeconds: 300 },
  scanned: 0,
  matched: 0,
  redriven: 0,
  skipped: 0,
  failed: {},
  createdAt: '2029-12-24T19:00:00.000Z',
  updatedAt: '2029-12-24T19:00:00.000Z',
};
const path = z.object({ id: uidSchema.meta({ description: 'The id of the redrive.' }) });
const shown = { 200: { description: 'The redrive as it is now.', schema: redriveSchema, example: redrive } };

/** The routes of dead letters. */
export const DEAD_OPERATIONS: Record<Extract<RouteName, 'listDead' | `${string}Redrive` | 'listRedrives'>, Operation> = {
  listDead: {
    tag: 'Dead letters',
    summary: 'List dead tasks',
    description:
      'Tasks that failed for good and that nobody has redriven, those that failed last first; all that is given must hold. Follow `cursor` until there is none: a page may hold fewer tasks than `limit`, or none, and yet have one. ' +
      "Without `type` the platform's own tasks are left out.",
    query: listDeadQuerySchema,
    success: { 200: { description: 'A page.', schema: deadResponseSchema, example: { tasks: [dead] } } },
    codes: ['bad_request', 'bad_cursor'],
  },
  createRedrive: {
    tag: 'Dead letters',
    summary: 'Run many dead tasks again',
    description:
      `Redrives the dead tasks that fit a filter, or up to ${LIMITS.redriveIds} by their ids: each as a new generation of its id, at a rate, and if you like with a first wave that is watched. Only what had failed before the call is redriven. ` +
      'With an `id` the call may be repeated. With `dryRun` it only says what would be redriven.',
    body: {
      schema: redriveRequestSchema,
      example: { filter: { type: 'thumbnail', error: 'TypeError' }, canary: { tasks: 10, maxFailureShare: 0.2, waitSeconds: 300 } },
    },
    success: {
      200: {
        description: 'What a redrive would do (`dryRun`).',
        schema: redrivePlanSchema,
        example: { dryRun: true, count: 1, more: false, byType: { thumbnail: 1 }, byError: { TypeError: 1 }, sample: [dead] },
      },
      202: { description: 'The redrive, which goes on by itself.', schema: redriveSchema, example: redrive },
    },
    codes: ['bad_request', 'id_conflict', 'too_many_redrives'],
  },
  listRedrives: {
    tag: 'Dead letters',
    summary: 'List redrives',
    description: 'The redrives of the tenant, the newest first. They are kept for 30 days after their end.',
    query: listRedrivesQuerySchema,
    success: { 200: { description: 'A page.', schema: redriveListSchema, example: { redrives: [redrive] } } },
    codes: ['bad_request', 'bad_cursor'],
  },
  getRedrive: {
    tag: 'Dead letters',
    summary: 'Look at a redrive',
    description: 'How far it is, and how its first wave has ended.',
    path,
    success: shown,
    codes: ['not_found'],
  },
  cancelRedrive: {
    tag: 'Dead letters',
    summary: 'Cancel a redrive',
    description:
      'It redrives nothing more but the page that it is at. What has been redriven stays so. Repeating the call changes nothing.',
    path,
    success: shown,
    codes: ['not_found', 'state_conflict'],
  },
  pauseRedrive: {
    tag: 'Dead letters',
    summary: 'Pause a redrive',
    description: 'It redrives nothing more but the page that it is at, until it is resumed. Repeating the call changes nothing.',
    path,
    success: shown,
    codes: ['not_found', 'state_conflict'],
  },
  resumeRedrive: {
    tag: 'Dead letters',
    summary: 'Resume a redrive',
    description: 'Lets a redrive go on that is paused, or that is `stalled` because its own task has failed.',
    path,
    success: shown,
    codes: ['not_found', 'state_conflict'],
  },
};
