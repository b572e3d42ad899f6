import type { IssuedToken, Submission, TaskSummary, TaskView } from '@sluice/contracts';
import type { ServerResponse } from 'node:http';
import type { Received } from './api-server.ts';
import { problem, UID } from './samples.ts';

/** Lets pages of any other origin call, as the deployed API does; a page reads `retry-after` only because it is exposed. */
export const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': 'authorization,content-type',
  'access-control-allow-methods': 'GET,POST,DELETE',
  'access-control-expose-headers': 'retry-after',
};

interface Answered {
  readonly status: number;
  readonly body?: unknown;
}

/** A platform in memory whose tasks have succeeded when they are asked for, each with its payload as its result. */
export function fakePlatform(): (response: ServerResponse, request: Received) => void {
  const tasks = new Map<string, TaskView>();
  const tokens = new Map<string, IssuedToken>();
  const accept = (submission: Submission) => {
    const { id = '', type, payload, labels = {} } = submission;
    const deduplicated = tasks.has(id);
    if (!deduplicated) tasks.set(id, taskOf(tasks.size, { id, type, labels, result: payload }));
    return { id, uid: UID, state: 'waiting', deduplicated };
  };
  const withTask = (id: string, answer: (task: TaskView) => unknown): Answered => {
    const task = tasks.get(id);
    return task ? { status: 200, body: answer(task) } : { status: 404, body: problem('not_found') };
  };
  const route = (method: string, url: URL, body: string): Answered => {
    const [, , kind = '', id = '', action = ''] = url.pathname.split('/').map(decodeURIComponent);
    const json = body === '' ? undefined : (JSON.parse(body) as unknown);
    switch (`${method} ${kind} ${id && kind !== 'health' ? (id === 'batch' ? 'batch' : 'id') : ''} ${action}`.trim().replace(/ +/g, ' ')) {
      case 'POST tasks':
        return { status: 201, body: accept(json as Submission) };
      case 'POST tasks batch':
        return {
          status: 200,
          body: { results: (json as { tasks: Submission[] }).tasks.map((task) => ({ ok: true, task: accept(task) })) },
        };
      case 'GET tasks':
        return { status: 200, body: pageOf([...tasks.values()].reverse(), url.searchParams) };
      case 'GET tasks id':
        return withTask(id, ({ result: _, ...task }) => task);
      case 'GET tasks id result':
        return withTask(id, (task) => ({ done: true, task }));
      case 'POST tasks id cancel':
        return { status: 409, body: problem('state_conflict') };
      case 'POST tokens':
        return { status: 201, body: issue(tokens, json as { scopes: ['submit'] }) };
      case 'GET tokens':
        return { status: 200, body: { tokens: [...tokens.values()].map(({ token: _, ...view }) => view) } };
      case 'DELETE tokens id':
        return tokens.delete(id) ? { status: 204 } : { status: 404, body: problem('not_found') };
      case 'GET health':
        return { status: 200, body: { status: 'ok', version: '0.1.0' } };
      default:
        return { status: 404, body: problem('not_found') };
    }
  };
  return (response, { method, url, body }) => {
    const answered = method === 'OPTIONS' ? { status: 204 } : route(method, new URL(url, 'http://api'), body);
    response.writeHead(answered.status, { 'content-type': 'application/json', ...CORS });
    response.end(answered.body === undefined ? undefined : JSON.stringify(answered.body));
  };
}

function taskOf(n: number, given: Pick<TaskView, 'id' | 'type' | 'labels' | 'result'>): TaskView {
  const at = new Date(Date.UTC(2026, 0, 1) + n).toISOString();
  const counts = { attempts: 1, lost: 0, throttled: 0 };
  const timeline = { acceptedAt: at, hintedAt: at, attempts: [], endedAt: at };
  return { uid: UID, tenant: 'acme', state: 'succeeded', priority: 'normal', runAt: at, timeline, ...counts, ...given };
}

/** A page of at most three tasks, so that a few are several pages. */
function pageOf(newestFirst: readonly TaskView[], query: URLSearchParams): { tasks: TaskSummary[]; cursor?: string } {
  const found = newestFirst.filter(
    ({ type, state, labels }) =>
      (query.get('type') ?? type) === type &&
      (query.get('state') ?? state) === state &&
      query.getAll('label').every((label) => labels[label.split(':', 1)[0] ?? ''] === label.slice(label.indexOf(':') + 1)),
  );
  const from = Number(query.get('cursor') ?? 0);
  const to = from + Math.min(3, Number(query.get('limit') ?? 3));
  const tasks = found.slice(from, to).map(({ timeline, result: _, ...rest }) => ({ ...rest, acceptedAt: timeline.acceptedAt }));
  return { tasks, ...(to < found.length && { cursor: String(to) }) };
}

function issue(tokens: Map<string, IssuedToken>, request: Pick<IssuedToken, 'scopes' | 'name'>): IssuedToken {
  const id = `tok_${tokens.size.toString(16).padStart(16, '0')}`;
  const issued = { id, token: `slc_${'x'.repeat(43)}`, createdAt: '2026-01-01T00:00:00.000Z', ...request };
  tokens.set(id, issued);
  return issued;
}
