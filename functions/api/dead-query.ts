import {
  type DeadQuery,
  deadReasonSchema,
  LIMITS,
  listDeadQuerySchema,
  listRedrivesQuerySchema,
  type RedriveQuery,
  SluiceError,
} from '@sluice/contracts';
import type * as z from 'zod';
import { onlyKnown } from './query.ts';

type Query = Readonly<Record<string, string>>;

const TIME = 'a time such as 2026-01-31T12:00:00Z';
/** What each parameter takes, for whoever sent something else. */
const DEAD_PARAMETERS: Record<keyof DeadQuery, string> = {
  type: `the name of a task type, up to ${LIMITS.typeLength} lower-case letters, digits, ".", "-" and "_"`,
  error: 'the name of an error, exactly, of 1 to 256 characters',
  reason: `one of ${deadReasonSchema.options.join(', ')}`,
  label: `key:value, and may be given up to ${LIMITS.labels} times`,
  from: TIME,
  to: TIME,
  limit: `a whole number from 1 to ${LIMITS.listPage}`,
  cursor: 'what the page before was answered with',
};
const REDRIVE_PARAMETERS: Record<keyof RedriveQuery, string> = {
  limit: `a whole number from 1 to ${LIMITS.redrivePage}`,
  cursor: 'what the page before was answered with',
};

/**
 * Which dead tasks to list.
 * @param labels every value of `label`
 * @throws SluiceError `bad_request`, or `bad_cursor` for what is too long for one
 */
export function deadQueryOf(query: Query, labels: readonly string[]): DeadQuery {
  return parsed(listDeadQuerySchema, DEAD_PARAMETERS, query, labels);
}

/** Which redrives to list. @throws SluiceError `bad_request`, `bad_cursor` */
export function redriveQueryOf(query: Query): RedriveQuery {
  return parsed(listRedrivesQuerySchema, REDRIVE_PARAMETERS, query, []);
}

function parsed<T>(schema: z.ZodType<T>, parameters: Record<string, string>, query: Query, labels: readonly string[]): T {
  onlyKnown(query, Object.keys(parameters));
  const result = schema.safeParse({ ...query, ...(labels.length > 0 && { label: labels }) });
  if (result.success) return result.data;
  const [name = '', index] = result.error.issues[0]?.path ?? [];
  const parameter = String(name);
  const value = typeof index === 'number' ? labels[index] : query[parameter];
  throw new SluiceError(
    parameter === 'cursor' ? 'bad_cursor' : 'bad_request',
    `${parameter} is "${value?.slice(0, 100)}"; it takes ${parameters[parameter]}`,
  );
}
