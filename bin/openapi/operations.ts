import {
  acceptedSchema,
  attemptAnswerSchema,
  attemptQuestionSchema,
  batchResponseSchema,
  cancelledSchema,
  healthSchema,
  issuedTokenSchema,
  LIMITS,
  listQuerySchema,
  listResponseSchema,
  retryQuerySchema,
  retryRequestSchema,
  rotateRequestSchema,
  submissionSchema,
  taskIdSchema,
  taskViewSchema,
  tokenIdSchema,
  tokenListSchema,
  tokenRequestSchema,
  waitResponseSchema,
  type RouteName,
} from '@sluice/contracts';
import * as z from 'zod';
import { DEAD_OPERATIONS } from './dead-operations.ts';
import * as examples from './examples.ts';
import type { Operation } from './operation.ts';
import { retryAfter } from './problems.ts';
import { webhookSecretOperations } from './webhooks.ts';
import { ADMISSION_OPERATIONS } from './admission-operations.ts';
import { LANE_OPERATIONS } from './lane-operations.ts';
import { OPERATOR_OPERATIONS } from './operator-operations.ts';
import { SHARD_OPERATIONS } from './shard-operations.ts';
import { SCHEDULE_OPERATIONS } from './schedule-operations.ts';

const taskPath = z.object({ id: taskIdSchema.meta({ description: 'The id of the task.' }) });
const tokenPath = z.object({ id: tokenIdSchema.meta({ description: 'The id of the token, not the token itself.' }) });

/** A submission that is wrong fails alone, so that the handler checks each by itself. */
const batchSchema = z
  .strictObject({ tasks: z.array(submissionSchema).min(1).max(LIMITS.batchTasks) })
  .meta({ id: 'BatchRequest', description: `Up to ${LIMITS.batchTasks} tasks, ${LIMITS.bodyBytes} bytes in all.` });

const SECONDS_25 = `${LIMITS.waitSeconds} s`;

export const OPERATIONS: Record<RouteName, Operation> = {
  submit: {
    tag: 'Tasks',
    summary: 'Submit a task',
    description:
      'Accepts one task. Once this is answered with success the task reaches a terminal state. With an `id` the call may be repeated: the same id with the same type and payload is the same task. ' +
      `Without one, every call makes a new task. The payload has at most ${LIMITS.payloadBytes} bytes as JSON and ${LIMITS.payloadDepth} levels; \`runAt\` is at most ${LIMITS.delaySeconds} seconds (five years) away.`,
    body: { schema: submissionSchema, example: examples.submission },
    success: {
      200: {
        description: 'The id was known: this is the task that exists (`deduplicated` is true).',
        schema: acceptedSchema,
        example: { ...examples.accepted, deduplicated: true },
      },
      201: { description: 'A new task.', schema: acceptedSchema, example: examples.accepted },
    },
    codes: [
      'bad_request',
      'unknown_type',
      'unknown_queue',
      'no_webhook_secret',
      'id_conflict',
      'payload_too_large',
      'rate_limited',
      'backlog_full',
      'backlog_too_old',
      'throttled',
    ],
  },
  submitBatch: {
    tag: 'Tasks',
    summary: 'Submit many tasks',
    description:
      'Accepts up to ' +
      `${LIMITS.batchTasks} tasks. Each is accepted or refused by itself: the answer is 200 with one result for each, in their order, also when all were refused. ` +
      'What was refused with a code that passes (`rate_limited`, `backlog_full`, `backlog_too_old`, `throttled`, `unavailable`, `internal`) may be submitted again with the same id, after its `details.retryAfterSeconds` where it has them.',
    body: { schema: batchSchema, example: { tasks: [examples.submission, { type: 'thumbnial' }] } },
    success: { 200: { description: 'A result for each task.', schema: batchResponseSchema, example: examples.batchResponse } },
    codes: ['bad_request', 'too_many_tasks'],
  },
  list: {
    tag: 'Tasks',
    summary: 'List tasks',
    description:
      'The tasks of the tenant that fit all filters, the newest first, without their values and timelines. Follow `cursor` until there is none: a page may hold fewer tasks than `limit`, or none, and yet have one. ' +
      `Without \`from\` it goes back ${LIMITS.listDays} days.`,
    query: listQuerySchema,
    success: { 200: { description: 'A page.', schema: listResponseSchema, example: { tasks: [examples.summary] } } },
    codes: ['bad_request', 'bad_cursor', 'not_enabled'],
  },
  get: {
    tag: 'Tasks',
    summary: 'Look at a task',
    description: 'The task as it is now, with the timeline of its attempts. Payload and result come along only when they are asked for.',
    path: taskPath,
    query: z.strictObject({
      include: z
        .array(z.enum(['payload', 'result']))
        .optional()
        .meta({ description: 'Values to bring along.', param: { style: 'form', explode: false } }),
    }),
    success: { 200: { description: 'The task.', schema: taskViewSchema, example: examples.task } },
    codes: ['bad_request', 'not_found'],
  },
  wait: {
    tag: 'Tasks',
    summary: 'Wait for the end of a task',
    description:
      `Holds the call until the task has ended, for at most \`wait\` seconds (up to ${SECONDS_25}). A 202 is no error: the task has not ended yet, and \`Retry-After\` says after how many seconds to call again, 0 after a wait of the full time. ` +
      `It comes at once when ${LIMITS.waitsAtOnce} calls wait already.`,
    path: taskPath,
    query: z.strictObject({
      wait: z.coerce
        .number()
        .int()
        .min(0)
        .max(LIMITS.waitSeconds)
        .optional()
        .meta({ description: 'Seconds to wait at most. Default: 0, answer at once.' }),
    }),
    success: {
      200: {
        description: 'The task has ended, however; its result is with it.',
        schema: waitResponseSchema,
        example: { done: true, task: examples.task },
      },
      202: {
        description: 'The task has not ended yet (`done` is false): call again after `Retry-After`.',
        schema: waitResponseSchema,
        headers: z.object({ 'Retry-After': retryAfter(0) }),
      },
    },
    codes: ['bad_request', 'not_found'],
  },
  cancel: {
    tag: 'Tasks',
    summary: 'Cancel a task',
    description:
      'A task that waits is cancelled by the time this is answered. One that runs is `cancelling`: its attempt is asked to stop, and the task ends as cancelled when the attempt does, unless that is a success. Repeating the call changes nothing.',
    path: taskPath,
    success: {
      200: {
        description: 'It is cancelled, or asked to stop.',
        schema: cancelledSchema,
        example: { id: 'order-4711', uid: examples.accepted.uid, state: 'cancelled' },
      },
    },
    codes: ['not_found', 'state_conflict'],
  },
  retry: {
    tag: 'Tasks',
    summary: 'Run a task again',
    description:
      'Makes a new generation (`uid`) of a task that ended without success, with the same payload, options and labels and all its attempts anew. With the `uid` of the generation that is meant the call may be repeated. With a `payload` it is a new task of another id, which has what else the old one had; each names the other.',
    path: taskPath,
    query: retryQuerySchema,
    body: { schema: retryRequestSchema, example: { payload: { key: 'photos/4711.png', width: 320 } }, isOptional: true },
    success: {
      200: {
        description: 'That generation has been retried before: this is the task that it became (`deduplicated` is true).',
        schema: acceptedSchema,
        example: { ...examples.accepted, deduplicated: true },
      },
      201: { description: 'The new generation.', schema: acceptedSchema, example: examples.accepted },
    },
    codes: ['bad_request', 'unknown_type', 'not_found', 'state_conflict', 'id_conflict', 'payload_gone', 'payload_too_large'],
  },
  ...SCHEDULE_OPERATIONS,
  ...DEAD_OPERATIONS,
  listTokens: {
    tag: 'Tokens',
    summary: 'List tokens',
    description: 'The API tokens of the tenant, never the tokens themselves.',
    success: { 200: { description: 'All of them.', schema: tokenListSchema, example: { tokens: [examples.token] } } },
    codes: [],
  },
  createToken: {
    tag: 'Tokens',
    summary: 'Make a token',
    description: `Makes an API token of the tenant. A tenant has at most ${LIMITS.tokens}. This answer is the only place where the token is ever shown. Not repeatable: each call makes one.`,
    body: { schema: tokenRequestSchema, example: { scopes: ['submit', 'read'], name: 'checkout', expiresInDays: 90 } },
    success: { 201: { description: 'The token.', schema: issuedTokenSchema, example: examples.issuedToken } },
    codes: ['bad_request', 'too_many_tokens'],
  },
  revokeToken: {
    tag: 'Tokens',
    summary: 'Revoke a token',
    description: 'The token stops working within the time that the gateway keeps its answers, by default one minute.',
    path: tokenPath,
    success: { 204: { description: 'It is revoked.' } },
    codes: ['not_found'],
  },
  rotateToken: {
    tag: 'Tokens',
    summary: 'Replace a token',
    description:
      'Makes a token with the same name, scopes and lifetime, and lets the old one end after `graceSeconds`, or at its own expiry if that is sooner. This answer is the only place where the token is ever shown. Not repeatable: each call makes one.',
    path: tokenPath,
    body: { schema: rotateRequestSchema, example: { graceSeconds: 3600 }, isOptional: true },
    success: { 201: { description: 'The new token.', schema: issuedTokenSchema, example: examples.issuedToken } },
    codes: ['bad_request', 'not_found', 'too_many_tokens'],
  },
  ...webhookSecretOperations,
  ...OPERATOR_OPERATIONS,
  ...ADMISSION_OPERATIONS,
  ...SHARD_OPERATIONS,
  ...LANE_OPERATIONS,
  attempt: {
    tag: 'Attempts',
    summary: 'Ask whether an attempt shall go on',
    description:
      'Asked by a running handler, which the handler kit does by itself. It needs no token: the body holds the key of the attempt. Who does not know the key is told `over`.',
    body: {
      schema: attemptQuestionSchema,
      example: { tenant: 'acme', task: 'order-4711', uid: examples.accepted.uid, fence: 1, key: 'kXrT2uHq' },
    },
    success: {
      200: {
        description: '`running`: go on. `cancelling`: stop, the task is to be cancelled. `over`: stop, the outcome is no longer wanted.',
        schema: attemptAnswerSchema,
        example: { state: 'running' },
      },
    },
    codes: ['bad_request', 'unavailable'],
  },
  health: {
    tag: 'Platform',
    summary: 'Health',
    description: 'Whether the platform answers, and its version. Query parameters are ignored: load balancers add their own.',
    success: { 200: { description: 'It does.', schema: healthSchema, example: { status: 'ok', version: '1.0.0' } } },
    codes: [],
  },
  openapi: {
    tag: 'Platform',
    summary: 'This document',
    description: 'The OpenAPI document of the version that is deployed.',
    success: { 200: { description: 'An OpenAPI 3.1 document.', schema: z.record(z.string(), z.unknown()) } },
    codes: [],
  },
};
