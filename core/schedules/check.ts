import {
  isSystemName,
  LIMITS,
  limitMessage,
  previewRequestSchema,
  scheduleNameSchema,
  scheduleRequestSchema,
  SluiceError,
  type PreviewRequest,
  type ScheduleRequest,
  type ScheduleSpec,
} from '@sluice/contracts';
import * as z from 'zod';
import type { TypeRegistry } from '../ports/type-registry.ts';
import { checkSubmission } from '../submit/validate.ts';
import { byteLength } from '../tasks/values.ts';
import { occurrencesOf, type Timing } from './times.ts';

/** @throws SluiceError `bad_request` */
export function checkName(name: string): string {
  const parsed = scheduleNameSchema.safeParse(name, { error: limitMessage });
  if (parsed.success) return parsed.data;
  throw new SluiceError('bad_request', `"${name.slice(0, 100)}" is no name of a schedule: ${parsed.error.issues[0]?.message}`);
}

/**
 * A schedule as it is stored, and whether it is to be paused.
 * @throws SluiceError `bad_request`, `unknown_type`, `payload_too_large`
 */
export async function checkSchedule(
  types: TypeRegistry,
  input: unknown,
  now: number,
): Promise<{ readonly spec: ScheduleSpec; readonly paused: boolean | undefined }> {
  const request = parsed(scheduleRequestSchema, input);
  const { task, overlap = 'allow', misfire = { policy: 'once' }, paused } = request;
  const timing = checkedTiming(request, now);
  const { expiresAfterSeconds: _, ...submission } = task;
  // Labels and payload as they were given: what a schema leaves out in silence is refused.
  const { json } = checkSubmission({ ...submission, ...(task.labels && { labels: (input as ScheduleRequest).task.labels }) }, now);
  const bytes = byteLength(json);
  if (bytes > LIMITS.schedulePayloadBytes) {
    throw new SluiceError(
      'payload_too_large',
      `the payload is ${bytes} bytes of JSON; a schedule's has at most ${LIMITS.schedulePayloadBytes}. Put the input into an S3 object of your own and its bucket and key into the payload`,
      { details: { given: bytes, limit: LIMITS.schedulePayloadBytes } },
    );
  }
  if (!(await types.get(task.type))) {
    const known = (await types.names()).filter((name) => !isSystemName(name));
    throw new SluiceError('unknown_type', `there is no task type "${task.type}"; deployed are: ${known.join(', ') || 'none'}`, {
      details: { known },
    });
  }
  const { anchor: __, ...times } = timing;
  const spec = { ...times, jitterSeconds: request.jitterSeconds ?? 0, overlap, misfire, task: JSON.stringify(task) };
  return { spec: withoutUndefined(spec), paused };
}

/** @throws SluiceError `bad_request` */
export function checkPreview(input: unknown, now: number): { readonly timing: Timing; readonly request: PreviewRequest } {
  const request = parsed(previewRequestSchema, input);
  return { timing: checkedTiming(request, now), request };
}

function checkedTiming(request: Omit<PreviewRequest, 'n'>, now: number): Timing {
  const { cron, everySeconds, timezone = 'UTC' } = request;
  const start = instantOf(request.start);
  const end = instantOf(request.end);
  const from = start ?? now;
  if (end !== undefined && end <= from) {
    const what = start === undefined ? `now, ${new Date(now).toISOString()}` : `start ${request.start}`;
    throw new SluiceError('bad_request', `end ${request.end} is not after ${what}; move it`);
  }
  if (everySeconds !== undefined && (request.jitterSeconds ?? 0) >= everySeconds && request.jitterSeconds !== 0) {
    throw new SluiceError(
      'bad_request',
      `jitterSeconds is ${request.jitterSeconds} and must be less than everySeconds, ${everySeconds}: lower it`,
    );
  }
  const timing = { cron, everySeconds, timezone, start, end, anchor: start ?? Math.floor(now / 1000) * 1000 };
  occurrencesOf(timing);
  return timing;
}

function parsed<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input, { error: limitMessage });
  if (result.success) return result.data;
  throw new SluiceError('bad_request', `the schedule is not as it must be: ${z.prettifyError(result.error)}`);
}

function instantOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

function withoutUndefined<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}
