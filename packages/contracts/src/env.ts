import * as z from 'zod';
import { admissionBoundsSchema } from './admission.ts';
import { notifyRulesSchema } from './notification.ts';

/**
 * The environment of each function, shared by the construct that sets it and the entry point that reads it. A test
 * holds that every function's template has the variables of its schema and no other.
 */
const count = z.coerce.number().int().positive();
const table = { SLUICE_TABLE: z.string().min(1) };
const values = { ...table, SLUICE_BUCKET: z.string().min(1) };
const hints = {
  /** The URL of every shard queue up to its `<priority>-<shard>`. */
  SLUICE_QUEUE_PREFIX: z.string().min(1),
  SLUICE_SHARDS: count,
  SLUICE_SHARDS_PER_TENANT: count,
};
const events = { SLUICE_BUS: z.string().min(1) };
/** Where the API is, without a slash at its end. */
const api = { SLUICE_API_URL: z.url() };
/** `on` when the table has the `list` index. */
const list = { SLUICE_LIST_INDEX: z.enum(['on', 'off']) };
/** Where control is told what it should look at now. */
const control = { SLUICE_CONTROL_QUEUE_URL: z.string().min(1) };
const json = z.string().transform((text, context) => parsed(text, context));
/** The queues and hosts that notifications may go to, as JSON. */
const notify = { SLUICE_NOTIFY: json.pipe(notifyRulesSchema) };
/** What a tenant may submit whose quota says nothing else, as JSON. */
const admission = { SLUICE_ADMISSION: json.pipe(admissionBoundsSchema) };

export const ENV_SCHEMAS = {
  submit: z.object({ ...values, ...hints, ...events, ...list, ...notify, ...control, ...admission }),
  api: z.object({ ...values, ...hints, ...events, ...list, ...notify, ...control }),
  authorizer: z.object({ ...table }),
  dispatch: z.object({ ...values, ...hints, ...events, ...list, ...api, ...control }),
  settle: z.object({ ...values, ...hints, ...events, ...list }),
  timers: z.object({ ...values, ...hints, ...events, ...list, SLUICE_HINT_DLQ_URL: z.string().min(1) }),
  control: z.object({ ...table, ...hints, ...admission }),
  audit: z.object({ ...table, ...hints }),
  registrar: z.object({ ...table }),
  system: z.object({
    ...values,
    ...hints,
    ...events,
    ...list,
    ...notify,
    /** In PEM: whom webhooks trust beside the well-known authorities, or `none`. */
    SLUICE_WEBHOOK_CA: z.string().min(1),
  }),
} as const;
export type FunctionName = keyof typeof ENV_SCHEMAS;
export type Env<F extends FunctionName> = z.infer<(typeof ENV_SCHEMAS)[F]>;

/** Reads a function's environment once, at cold start. @throws naming each variable that is missing or wrong. */
export function readEnv<F extends FunctionName>(name: F, env: Record<string, string | undefined>): Env<F> {
  const parsed = ENV_SCHEMAS[name].safeParse(env);
  if (!parsed.success) throw new Error(`environment of ${name}: ${z.prettifyError(parsed.error)}`);
  return parsed.data as Env<F>;
}

function parsed(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'it is no JSON' });
    return z.NEVER;
  }
}
