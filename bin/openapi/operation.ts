import type { ErrorCode } from '@sluice/contracts';
import type * as z from 'zod';

export interface Success {
  readonly description: string;
  /** Without one there is no body. */
  readonly schema?: z.ZodType;
  readonly headers?: z.ZodObject;
  readonly example?: unknown;
}

/** One route as the document tells it. What all routes of its kind have alike is added to it. */
export interface Operation {
  readonly tag: 'Tasks' | 'Dead letters' | 'Schedules' | 'Tokens' | 'Webhooks' | 'Attempts' | 'Operators' | 'Platform';
  readonly summary: string;
  readonly description: string;
  readonly path?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: { readonly schema: z.ZodType; readonly example: unknown; readonly isOptional?: boolean };
  readonly success: Readonly<Record<number, Success>>;
  /** Beside those that any such route gives. */
  readonly codes: readonly ErrorCode[];
}
