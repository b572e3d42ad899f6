import type { TaskContext } from '@sluice/handler';

/** A transaction of PostgreSQL that the caller has begun and will commit: a client of `pg`, or a transaction of PGlite. */
export interface Transaction {
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export const SCHEMA = `
  CREATE TABLE stock (item text PRIMARY KEY, pieces integer NOT NULL);
  CREATE TABLE done (uid text PRIMARY KEY, fence bigint NOT NULL, result text NOT NULL);
`;

/** Takes pieces out of the stock, once for each task, whichever attempt comes first. */
export async function takeFromStock(
  sql: Transaction,
  ctx: Pick<TaskContext, 'uid' | 'fence'>,
  item: string,
  pieces: number,
): Promise<unknown> {
  const result = { item, taken: pieces };
  // The note and the effect are one transaction. Of two at once the second waits here for the first to commit.
  const noted = await sql.query('INSERT INTO done (uid, fence, result) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING uid', [
    ctx.uid,
    ctx.fence,
    JSON.stringify(result),
  ]);
  if (noted.rows.length > 0) {
    await sql.query('UPDATE stock SET pieces = pieces - $2 WHERE item = $1', [item, pieces]);
    return result;
  }
  const { rows } = await sql.query('SELECT result FROM done WHERE uid = $1', [ctx.uid]);
  return JSON.parse((rows[0] as { result: string }).result);
}
