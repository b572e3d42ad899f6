import { expect, it } from 'vitest';
import { systemHasher as hash } from '../../../adapters/system.ts';
import { newRow } from '../../../core/submit/new-row.ts';
import { checkSubmission } from '../../../core/submit/validate.ts';

const NOW = Date.UTC(2026, 0, 1);

// A table keeps no number that is closer to 0 than 1e-130: a write with one is refused, again and again.
it.each([
  [5e-324, 0],
  [0.0004, 0],
  [0.0015, 0.002],
  [1.5, 1.5],
  [86_400, 86_400],
])('a retry delay of %d s is kept as %d s', (given, kept) => {
  const retry = { maxAttempts: 2, minDelaySeconds: given, maxDelaySeconds: 604_800 };
  const checked = checkSubmission({ type: 'echo', retry }, NOW);
  const row = newRow({ tenant: 'acme', uid: '01JZ8Q4T6V3KX5N7W2C9RBD1EF', now: NOW, checked, hash });
  expect(row.retry).toEqual({ ...retry, minDelaySeconds: kept });
});
