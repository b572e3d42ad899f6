import { LIMITS, SluiceError } from '@sluice/contracts';
import type { ValueKind } from '../../core/ports/value-store.ts';

type Query = Readonly<Record<string, string>>;

const INCLUDES: readonly ValueKind[] = ['payload', 'result'];

/** Which values to bring along: `include=payload,result`. @throws SluiceError `bad_request` */
export function includeOf(query: Query): readonly ValueKind[] {
  onlyKnown(query, ['include']);
  const names = (query['include'] ?? '').split(',').map((name) => name.trim());
  if (names.length === 1 && names[0] === '') return [];
  return names.map((name) => {
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

function onlyKnown(query: Query, allowed: readonly string[]): void {
  const unknown = Object.keys(query).find((name) => !allowed.includes(name));
  if (unknown === undefined) return;
  throw new SluiceError('bad_request', `there is no query parameter "${unknown}"; this call takes ${allowed.join(', ')}`);
}
