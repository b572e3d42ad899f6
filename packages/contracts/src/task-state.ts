import * as z from 'zod';

/** States of a task as it is stored; the last four are terminal. */
export const TASK_STATES = ['waiting', 'running', 'succeeded', 'failed', 'expired', 'cancelled'] as const;
export const taskStateSchema = z.enum(TASK_STATES);
export type TaskState = z.infer<typeof taskStateSchema>;
export const TERMINAL_STATES = ['succeeded', 'failed', 'expired', 'cancelled'] as const satisfies readonly TaskState[];
export const terminalStateSchema = z.enum(TERMINAL_STATES);
/** States as callers see them: a running task that was asked to stop is `cancelling` until its attempt has ended. */
export const TASK_VIEW_STATES = [...TASK_STATES, 'cancelling'] as const;
export const taskViewStateSchema = z.enum(TASK_VIEW_STATES);
export type TaskViewState = z.infer<typeof taskViewStateSchema>;
export type TerminalState = (typeof TERMINAL_STATES)[number];
