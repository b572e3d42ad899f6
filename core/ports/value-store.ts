import type { StoredValue } from '@sluice/contracts';

export type ValueKind = 'payload' | 'result' | 'checkpoint';
/** What callers may ask for beside a task. */
export type ShownKind = Exclude<ValueKind, 'checkpoint'>;
export type OutsideValue = Exclude<StoredValue, { in: 'row' }>;

/** Payloads and results that are too large for their row, and checkpoints. `name` is unique in its task; never rewritten with other content. */
export interface ValueStore {
  /** Durable when it returns, and readable at least until `until` (ms). */
  readonly put: (
    tenant: string,
    id: string,
    name: string,
    kind: ValueKind,
    json: string,
    home: OutsideValue['in'],
    until: number,
  ) => Promise<OutsideValue>;
  /** The JSON text. @throws when it is gone. */
  readonly get: (tenant: string, id: string, name: string, kind: ValueKind, value: OutsideValue) => Promise<string>;
  /** A URL that a handler can GET the JSON from for so long. Only for values in S3. */
  readonly url: (tenant: string, value: Extract<StoredValue, { in: 's3' }>, seconds: number) => Promise<string>;
}

/** For functions that settle tasks, likewise. */
export interface LastingValueStore extends ValueStore {
  /** Makes it readable at least until `least` (ms), where it is not: then until `until`. Nothing, when it is gone. */
  readonly keep: (
    tenant: string,
    id: string,
    name: string,
    kind: ValueKind,
    value: OutsideValue,
    least: number,
    until: number,
  ) => Promise<void>;
}
