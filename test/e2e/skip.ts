import { beforeEach, inject } from 'vitest';

/** Skips, by its title and with a reason, what the target says that it cannot do. */
beforeEach(({ task, skip }) => {
  const reason = inject('deployment').skip[task.name];
  if (reason !== undefined) skip(reason);
});
