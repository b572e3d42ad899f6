import {
  acceptedSchema,
  LIMITS,
  previewQuerySchema,
  previewRequestSchema,
  previewSchema,
  runScheduleSchema,
  scheduleListQuerySchema,
  scheduleListSchema,
  scheduleNameSchema,
  scheduleRequestSchema,
  scheduleViewSchema,
  type RouteName,
  type ScheduleRequest,
  type ScheduleView,
} from '@sluice/contracts';
import * as z from 'zod';
import { accepted } from './examples.ts';
import type { Operation } from './operations.ts';

const path = z.object({ name: scheduleNameSchema.meta({ description: 'The name of the schedule.' }) });

const request: ScheduleRequest = {
  cron: '30 2 * * *',
  timezone: 'Europe/Berlin',
  overlap: 'skip',
  task: { type: 'report', payload: { kind: 'daily' } },
};

const schedule: ScheduleView = {
  name: 'nightly',
  state: 'active',
  cron: '30 2 * * *',
  timezone: 'Europe/Berlin',
  jitterSeconds: 0,
  overlap: 'skip',
  misfire: { policy: 'once' },
  task: request.task,
  createdAt: '2030-01-01T12:00:00.000Z',
  updatedAt: '2030-01-01T12:00:00.000Z',
  nextRuns: ['2030-01-03T01:30:00.000Z'],
  recent: [
    {
      at: '2030-01-02T01:30:00.000Z',
      decidedAt: '2030-01-02T01:30:00.200Z',
      did: 'submitted',
      task: 'nightly@2030-01-02T01:30:00Z',
      state: 'succeeded',
    },
  ],
  counts: { submitted: 1, skipped: 0, missed: 0, failed: 0 },
};

const preview = { times: [{ at: '2030-01-03T01:30:00.000Z', local: '2030-01-03T02:30:00+01:00' }] };
const theSchedule = (description: string) => ({ description, schema: scheduleViewSchema, example: schedule });

type ScheduleRoute = Extract<RouteName, `${string}Schedule` | 'listSchedules' | 'previewTimes'>;

export const SCHEDULE_OPERATIONS: Record<ScheduleRoute, Operation> = {
  listSchedules: {
    tag: 'Schedules',
    summary: 'List schedules',
    description: 'The schedules of the tenant by name. Follow `cursor` until there is none.',
    query: scheduleListQuerySchema,
    success: { 200: { description: 'A page.', schema: scheduleListSchema, example: { schedules: [schedule] } } },
    codes: ['bad_request', 'bad_cursor'],
  },
  putSchedule: {
    tag: 'Schedules',
    summary: 'Make or change a schedule',
    description:
      'Makes a schedule of that name, or changes it to be as it is given. Repeating the call changes nothing. ' +
      `A tenant has at most ${LIMITS.schedules}; the payload of its task has at most ${LIMITS.schedulePayloadBytes} bytes as JSON.`,
    path,
    body: { schema: scheduleRequestSchema, example: request },
    success: { 200: theSchedule('It existed, and is as it was given.'), 201: theSchedule('A new schedule.') },
    codes: ['bad_request', 'unknown_type', 'payload_too_large', 'too_many_schedules'],
  },
  getSchedule: {
    tag: 'Schedules',
    summary: 'Look at a schedule',
    description: 'The schedule, its next times, and what became of its latest occurrences.',
    path,
    success: { 200: theSchedule('The schedule.') },
    codes: ['not_found'],
  },
  deleteSchedule: {
    tag: 'Schedules',
    summary: 'Delete a schedule',
    description: 'No occurrence comes any more. Tasks that it has submitted stay.',
    path,
    success: { 204: { description: 'It is deleted.' } },
    codes: ['not_found'],
  },
  pauseSchedule: {
    tag: 'Schedules',
    summary: 'Pause a schedule',
    description: 'No occurrence runs until it is resumed. Repeating the call changes nothing.',
    path,
    success: { 200: theSchedule('It is paused.') },
    codes: ['not_found', 'state_conflict'],
  },
  resumeSchedule: {
    tag: 'Schedules',
    summary: 'Resume a schedule',
    description: 'Occurrences come again. Those that fell into the pause are for its misfire policy. Repeating the call changes nothing.',
    path,
    success: { 200: theSchedule('It is active.') },
    codes: ['not_found', 'state_conflict'],
  },
  runSchedule: {
    tag: 'Schedules',
    summary: 'Run a schedule now',
    description:
      'Submits its task now, whatever its state and its overlap policy. With the `id` of the task the call may be repeated; without one, every call makes a task.',
    path,
    body: { schema: runScheduleSchema, example: { id: 'nightly-by-hand' }, isOptional: true },
    success: {
      200: {
        description: 'The id was known: this is the task that exists.',
        schema: acceptedSchema,
        example: { ...accepted, deduplicated: true },
      },
      201: { description: 'A new task.', schema: acceptedSchema, example: accepted },
    },
    codes: ['bad_request', 'unknown_type', 'not_found', 'id_conflict'],
  },
  previewSchedule: {
    tag: 'Schedules',
    summary: 'The next times of a schedule',
    description: `Up to ${LIMITS.previewTimes} of its next times, by the same rules as it is fired by, without jitter.`,
    path,
    query: previewQuerySchema,
    success: { 200: { description: 'The times.', schema: previewSchema, example: preview } },
    codes: ['bad_request', 'not_found'],
  },
  previewTimes: {
    tag: 'Schedules',
    summary: 'The times of a schedule that is not stored',
    description: 'Takes what a schedule is made of, its task or not, and tells its next times. Nothing is stored.',
    body: { schema: previewRequestSchema, example: { cron: '30 2 * * *', timezone: 'Europe/Berlin', n: 1 } },
    success: { 200: { description: 'The times.', schema: previewSchema, example: preview } },
    codes: ['bad_request'],
  },
};
