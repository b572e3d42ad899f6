import type * as z from 'zod';

/**
 * A route's path with its id, which cannot lead to another route.
 * @throws TypeError for what is no id
 */
export function pathOf(route: string, id: string, schema: z.ZodType<string>, what: string): string {
  const parsed = schema.safeParse(id);
  if (!parsed.success) throw new TypeError(`${JSON.stringify(id)} is no ${what}: ${parsed.error.issues[0]?.message}`);
  return route.replace(/\{\w+\}/, encodeURIComponent(id));
}
