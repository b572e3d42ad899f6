import type { Scope } from './names.ts';

/** One route of the API. */
export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** What credentials need for it; `undefined` needs none. */
  readonly scope: Scope | undefined;
  /** Another scope that will do. */
  readonly or?: Scope;
}

/** The routes that tasks are submitted by: apart, so that submit carries no others. */
export const SUBMIT_ROUTES = {
  submit: { method: 'POST', path: '/v1/tasks', scope: 'submit' },
  submitBatch: { method: 'POST', path: '/v1/tasks/batch', scope: 'submit' },
} as const satisfies Record<string, ApiRoute>;
