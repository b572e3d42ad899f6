import type { Scope } from './names.ts';

interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** What credentials need for it; `undefined` needs none. */
  readonly scope: Scope | undefined;
}

/** The routes of the API. */
export const ROUTES = {
  submit: { method: 'POST', path: '/v1/tasks', scope: 'submit' },
  submitBatch: { method: 'POST', path: '/v1/tasks/batch', scope: 'submit' },
  list: { method: 'GET', path: '/v1/tasks', scope: 'read' },
  get: { method: 'GET', path: '/v1/tasks/{id}', scope: 'read' },
  wait: { method: 'GET', path: '/v1/tasks/{id}/result', scope: 'read' },
  cancel: { method: 'POST', path: '/v1/tasks/{id}/cancel', scope: 'operate' },
  retry: { method: 'POST', path: '/v1/tasks/{id}/retry', scope: 'operate' },
  listDead: { method: 'GET', path: '/v1/dead', scope: 'read' },
  createRedrive: { method: 'POST', path: '/v1/redrives', scope: 'operate' },
  listRedrives: { method: 'GET', path: '/v1/redrives', scope: 'read' },
  getRedrive: { method: 'GET', path: '/v1/redrives/{id}', scope: 'read' },
  cancelRedrive: { method: 'POST', path: '/v1/redrives/{id}/cancel', scope: 'operate' },
  pauseRedrive: { method: 'POST', path: '/v1/redrives/{id}/pause', scope: 'operate' },
  resumeRedrive: { method: 'POST', path: '/v1/redrives/{id}/resume', scope: 'operate' },
  listTokens: { method: 'GET', path: '/v1/tokens', scope: 'admin' },
  createToken: { method: 'POST', path: '/v1/tokens', scope: 'admin' },
  revokeToken: { method: 'DELETE', path: '/v1/tokens/{id}', scope: 'admin' },
  rotateToken: { method: 'POST', path: '/v1/tokens/{id}/rotate', scope: 'admin' },
  listWebhookSecrets: { method: 'GET', path: '/v1/webhook-secrets', scope: 'admin' },
  createWebhookSecret: { method: 'POST', path: '/v1/webhook-secrets', scope: 'admin' },
  deleteWebhookSecret: { method: 'DELETE', path: '/v1/webhook-secrets/{id}', scope: 'admin' },
  listSchedules: { method: 'GET', path: '/v1/schedules', scope: 'read' },
  putSchedule: { method: 'PUT', path: '/v1/schedules/{name}', scope: 'operate' },
  getSchedule: { method: 'GET', path: '/v1/schedules/{name}', scope: 'read' },
  deleteSchedule: { method: 'DELETE', path: '/v1/schedules/{name}', scope: 'operate' },
  pauseSchedule: { method: 'POST', path: '/v1/schedules/{name}/pause', scope: 'operate' },
  resumeSchedule: { method: 'POST', path: '/v1/schedules/{name}/resume', scope: 'operate' },
  runSchedule: { method: 'POST', path: '/v1/schedules/{name}/run', scope: 'operate' },
  previewSchedule: { method: 'GET', path: '/v1/schedules/{name}/preview', scope: 'read' },
  previewTimes: { method: 'POST', path: '/v1/schedules/preview', scope: 'read' },
  listQuotas: { method: 'GET', path: '/v1/quotas', scope: 'platform' },
  getQuota: { method: 'GET', path: '/v1/quotas/{tenant}', scope: 'platform' },
  putQuota: { method: 'PUT', path: '/v1/quotas/{tenant}', scope: 'platform' },
  deleteQuota: { method: 'DELETE', path: '/v1/quotas/{tenant}', scope: 'platform' },
  /** Asked by the handler kit; the body proves the attempt. */
  attempt: { method: 'POST', path: '/v1/attempts', scope: undefined },
  health: { method: 'GET', path: '/v1/health', scope: undefined },
  openapi: { method: 'GET', path: '/v1/openapi.json', scope: undefined },
} as const satisfies Record<string, Route>;
export type RouteName = keyof typeof ROUTES;
