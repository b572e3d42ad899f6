import { limitMessage, LIMITS, listQuerySchema, SluiceError, TASK_VIEW_STATES, type ListQuery } from '@sluice/contracts';
import * as z from 'zod';
import type { ShownKind } from '../../core/ports/value-store.ts';

type Query = Readonly<Record<string, string>>;

const INCLUDES: readonly ShownKind[] = ['payload', 'result'];

/** Which values to bring along: `include=payload,result`. @throws SluiceError `bad_request` */
export function includeOf(query: Query): readonly ShownKind[] {
  onlyKnown(query, ['include']);
  const text = query['include'] ?? '';
  if (text === '') return [];
  return text.split(',').map((name) => {
    const known = INCLUDES.find((kind) => kind === name);
    if (!known) throw new SluiceError('bad_request', `include is "${name}"; it takes ${INCLUDES.join(' and ')}, separated by a comma`);
    return known;
  });
}

/** How long to wait, in seconds: `wait=25`. @default 0, answer at once @throws SluiceError `bad_request` */
export function waitOf(query: Query): number {
  onlyKnown(query, ['wait']);
  const text = query['wait'] ?? '0';
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds <= LIMITS.waitSeconds) return seconds;
  throw new SluiceError('bad_request', `wait is "${text}"; it takes whole seconds from 0 to ${LIMITS.waitSeconds}`);
}

/** What each parameter of a list takes, for whoever sent something else. */
const LIST_PARAMETERS: Record<keyof ListQuery, string> = {
  type: `the name of a task type, up to ${LIMITS.typeLength} lower-case letters, digits, ".", "-" and "_"`,
  state: `one of ${TASK_VIEW_STATES.join(', ')}`,
  label: `key:value, and may be given up to ${LIMITS.labels} times`,
  from: 'a time such as 2026-01-31T12:00:00Z',
  to: 'a time such as 2026-01-31T12:00:00Z',
  limit: `a whole number from 1 to ${LIMITS.listPage}`,
  cursor: 'what the page before was answered with',
};

/**
 * What to list.
 * @param labels every value of `label`
 * @throws SluiceError `bad_request`, or `bad_cursor` for what is too long for one
 */
export function listQueryOf(query: Query, labels: readonly string[]): ListQuery {
  onlyKnown(query, Object.keys(LIST_PARAMETERS));
  const given = { ...query, ...(labels.length > 0 && { label: labels }) };
  const result = listQuerySchema.safeParse(given);
  if (result.success) return result.data;
  const [name = '', index] = result.error.issues[0]?.path ?? [];
  const parameter = name as keyof ListQuery;
  const value = typeof index === 'number' ? labels[index] : query[parameter];
  throw new SluiceError(
    parameter === 'cursor' ? 'bad_cursor' : 'bad_request',
    `${parameter} is "${value?.slice(0, 100)}"; it takes ${LIST_PARAMETERS[parameter]}`,
  );
}

/** @throws SluiceError `bad_request` for a parameter that there is not */
export function onlyKnown(query: Query, allowed: readonly string[]): void {
  const unknown = Object.keys(query).find((name) => !allowed.includes(name));
  if (unknown === undefined) return;
  throw new SluiceError('bad_request', `there is no query parameter "${unknown}"; this call takes ${allowed.join(', ')}`);
}

/** A query that fits its schema. @throws SluiceError `bad_request` naming each parameter that does not */
export function parsedQuery<T>(schema: z.ZodType<T>, query: unknown): T {
  return parsed(schema, query, 'the query');
}

/** A body that fits its schema. @throws SluiceError `bad_request` naming each field that does not */
export function parsedBody<T>(schema: z.ZodType<T>, body: unknown): T {
  return parsed(schema, body, 'the body');
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value, { error: limitMessage });
  if (result.success) return result.data;
  throw new SluiceError('bad_request', `${what} is not as it must be: ${z.prettifyError(result.error)}`);
}
