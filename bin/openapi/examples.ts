import type { Accepted, BatchResponse, IssuedToken, Submission, TaskSummary, TaskView, TokenView } from '@sluice/contracts';

const uid = '01JZ8Q4T6V3KX5N7W2C9RBD1EF';

export const submission: Submission = {
  type: 'thumbnail',
  id: 'order-4711',
  payload: { key: 'photos/4711.jpg', width: 320 },
  priority: 'high',
  expiresAt: '2030-01-01T00:00:00Z',
  labels: { order: '4711' },
};

export const accepted: Accepted = { id: 'order-4711', uid, state: 'waiting', deduplicated: false };

export const batchResponse: BatchResponse = {
  results: [
    { ok: true, task: accepted },
    {
      ok: false,
      error: {
        type: 'urn:sluice:error:unknown_type',
        title: 'unknown type',
        status: 400,
        code: 'unknown_type',
        detail: 'there is no task type "thumbnial"; deployed are: thumbnail',
        details: { known: ['thumbnail'] },
      },
    },
  ],
};

const common = {
  id: 'order-4711',
  uid,
  tenant: 'acme',
  type: 'thumbnail',
  state: 'succeeded',
  priority: 'high',
  labels: { order: '4711' },
  attempts: 1,
  lost: 0,
  throttled: 0,
  runAt: '2029-12-24T18:00:00.000Z',
} as const;

export const summary: TaskSummary = { ...common, acceptedAt: '2029-12-24T18:00:00.000Z', endedAt: '2029-12-24T18:00:01.350Z' };

export const task: TaskView = {
  ...common,
  timeline: {
    acceptedAt: '2029-12-24T18:00:00.000Z',
    hintedAt: '2029-12-24T18:00:00.000Z',
    attempts: [
      {
        fence: 1,
        outcome: 'succeeded',
        claimedAt: '2029-12-24T18:00:00.120Z',
        startedAt: '2029-12-24T18:00:00.180Z',
        settledAt: '2029-12-24T18:00:01.350Z',
      },
    ],
    endedAt: '2029-12-24T18:00:01.350Z',
  },
  result: { key: 'thumbnails/4711.webp' },
};

export const token: TokenView = {
  id: 'tok_0123456789abcdef',
  name: 'checkout',
  scopes: ['submit', 'read'],
  createdAt: '2029-12-24T18:00:00.000Z',
};

export const issuedToken: IssuedToken = { ...token, token: 'slc_' + 'A'.repeat(43) };
