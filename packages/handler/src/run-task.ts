import type * as z from 'zod';
import type { TaskContext } from './context.ts';
import { keepCheckpoints } from './checkpoint.ts';
import { parseInput, type TaskDefinition } from './define-task.ts';
import { createTaskLog } from './logger.ts';
import { resultOf } from './result.ts';

/** Milliseconds until the deadline of a fake context. */
const REMAINING_MS = 60_000;

/**
 * Runs a task in a unit test, with no Lambda and no Sluice: parses the input, calls `run` with a made-up context and
 * holds the result to the same rules as the platform does.
 *
 * The context is that of a first attempt, which makes room for nobody: `attempt` 1, `fence` 1, task `test-task`, tenant `test`, a fixed uid, a
 * deadline in 60 s, a signal that never aborts, and a log that writes nothing.
 *
 * @param task what `defineTask` takes, or what it returned
 * @param overrides replace parts of the context
 * @returns what `run` returned
 * @throws what `run` threw, as it is; an `InputError` (fatal) for an input that does not fit; a FatalError for a
 *   result that is not JSON or too large
 *
 * @example
 * await expect(runTask(handler, { name: '' })).rejects.toMatchObject({ code: 'SLUICE_FATAL' });
 * expect(await runTask(handler, { name: 'Ada' }, { attempt: 2 })).toEqual({ text: 'Hello, Ada' });
 */
export async function runTask<Schema extends z.ZodType, Result>(
  task: TaskDefinition<Schema, Result>,
  input: z.input<Schema>,
  overrides: Partial<TaskContext> = {},
): Promise<Result> {
  const parsed = await parseInput(task, input);
  const deadline = overrides.deadline ?? new Date(Date.now() + REMAINING_MS);
  const identity = {
    task: 'test-task',
    tenant: 'test',
    uid: '01JZ0000000000000000000000',
    type: typeof task.type === 'string' ? task.type : (task.type[0] ?? 'test'),
    attempt: 1,
    fence: 1,
  };
  const result = await task.run(
    {
      ...identity,
      deadline,
      remainingMs: () => Math.max(0, deadline.getTime() - Date.now()),
      signal: new AbortController().signal,
      checkpoint: keepCheckpoints(new AbortController().signal).checkpoint,
      lastCheckpoint: undefined,
      log: createTaskLog({ identity, write: () => undefined }),
      ...overrides,
    },
    parsed,
  );
  resultOf(result, 0);
  return result;
}
