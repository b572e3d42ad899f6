import { taskIdSchema, taskTypeNameSchema } from './names.ts';

/**
 * Task types of the platform itself, which its `system` function handles. Their tasks are tasks of their tenant: stored,
 * retried, listed among the dead and redriven as any other. Nobody but the platform submits them.
 */
export const SYSTEM_TYPES = {
  /** One occurrence of a schedule. */
  fire: 'sluice.fire',
  /** One notification of a task's end. */
  notify: 'sluice.notify',
  /** A slice of a redrive by filter. */
  redrive: 'sluice.redrive',
} as const;
export type SystemType = (typeof SYSTEM_TYPES)[keyof typeof SYSTEM_TYPES];

const TYPE_PREFIX = 'sluice.';
const ID_PREFIX = 'sluice:';

/** Whether a type's name is reserved for the platform. */
export function isSystemName(type: string): boolean {
  return type.startsWith(TYPE_PREFIX);
}

/** Whether a task's id is reserved for the platform: nobody can take one before the platform does. */
export function isSystemId(id: string): boolean {
  return id.startsWith(ID_PREFIX);
}

/** An id that nobody else can submit; deterministic, so that submitting it again finds the task. */
export function systemId(...parts: readonly string[]): string {
  return ID_PREFIX + parts.join(':');
}

/** A task type's name that is free for users. */
export const userTypeNameSchema = taskTypeNameSchema.refine((type) => !isSystemName(type), {
  error: `names that begin with "${TYPE_PREFIX}" are the platform's own; choose another`,
});
/** A task id that is free for users. */
export const userTaskIdSchema = taskIdSchema.refine((id) => !isSystemId(id), {
  error: `ids that begin with "${ID_PREFIX}" are the platform's own; choose another`,
});
