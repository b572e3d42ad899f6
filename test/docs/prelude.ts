import { SluiceClient } from '@sluice/client';
import { defineTask, FatalError, RetryableError, runTask, ThrottledError } from '@sluice/handler';
import type { Stack } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { expect } from 'vitest';
import { Resource, TaskPlatform, TaskType } from '../../lib/index.ts';

/** A source of submissions for examples of `submitMany`: of whichever types the client of the page knows. */
function* readOrders(): Generator<never> {
  for (let n = 1; n <= 3; n++) yield { type: 'clean-text', id: `imported-${n}`, payload: { text: `Order  ${n}` } } as never;
}

/**
 * The names that a `ts` block may use without declaring them. Everything else a block declares, imports, or takes from a
 * block above it on its page.
 */
export const PRELUDE = {
  SluiceClient,
  defineTask,
  FatalError,
  RetryableError,
  ThrottledError,
  runTask,
  expect,
  Resource,
  TaskPlatform,
  TaskType,
  readOrders,
} as const;

/** Those that are something else in each run. */
export interface RunNames {
  /** The platform that a block runs against, end to end. */
  readonly baseUrl: string;
  /** A token of a tenant of the page's own, with every scope: `admin` and `platform`. */
  readonly token: string;
  /** What `this` is at the top of a block: the stack that is being made. */
  readonly stack: Stack;
  /** A function in that stack. */
  readonly fn: IFunction;
  /** A platform in that stack. */
  readonly platform: TaskPlatform;
}
const RUN_NAMES: Record<keyof RunNames, true> = { baseUrl: true, token: true, stack: true, fn: true, platform: true };

export const PRELUDE_NAMES: ReadonlySet<string> = new Set([...Object.keys(PRELUDE), ...Object.keys(RUN_NAMES)]);

/** Stands in any block for the URL of a platform. */
export const DOCUMENTED_URL = 'https://abc.execute-api.eu-west-1.amazonaws.com';

/** Has every field that a handler of the documentation asks for: each one that a page shows is run with it. */
export const PAYLOAD = { name: 'Ada', text: 'Hello', key: 'a.jpg', width: 200, card: 'c1', cents: 100, order: '4711' } as const;
