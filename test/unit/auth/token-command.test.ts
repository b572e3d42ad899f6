import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTokenStore } from '../../../adapters/aws/token-store.ts';
import { systemClock, systemTokens } from '../../../adapters/system.ts';
import { authenticate } from '../../../core/auth/authenticate.ts';
import { startDynamo, type Dynamo } from '../../contract/servers.ts';

const SCRIPT = join(import.meta.dirname, '..', '..', '..', 'bin', 'token.ts');

let dynamo: Dynamo;
let table: string;
let endpoint: string;
beforeAll(async () => {
  dynamo = await startDynamo();
  table = await dynamo.newTable();
  const { protocol, hostname, port } = (await dynamo.clients.dynamodb.config.endpoint?.()) ?? {};
  endpoint = `${protocol}//${hostname}:${port}`;
});
afterAll(() => dynamo.stop());

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command as an operator would, against the table of the test. */
function token(...args: readonly string[]): Promise<Ended> {
  const env = { PATH: process.env['PATH'], AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...args], { env: { ...env, AWS_ENDPOINT_URL_DYNAMODB: endpoint } }, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err });
    });
  });
}
const works = async (text: string): Promise<boolean> => {
  const tokens = createTokenStore(dynamo.clients.dynamodb, { table });
  return (await authenticate({ tokens, clock: systemClock, ...systemTokens }, `Bearer ${text.trim()}`)) !== undefined;
};

describe('npm run token', () => {
  it('makes, lists, rotates and revokes tokens of a tenant', async () => {
    const of = ['--table', table, '--tenant', 'acme'];
    const made = await token(...of, '--scopes', 'submit, read', '--name', 'checkout');
    expect(made).toMatchObject({ code: 0, err: expect.stringContaining('for submit, read, valid and does not expire') });
    expect(made.out).toMatch(/^slc_\S{43}\n$/);
    expect(await works(made.out)).toBe(true);

    const listed = await token('list', ...of);
    expect(listed.out).toMatch(/^tok_[0-9a-f]{16} {2}submit,read .* expires never .*checkout\n$/);
    expect(listed.out).not.toContain('slc_');
    const id = listed.out.slice(0, 20);

    const rotated = await token('rotate', ...of, '--id', id, '--grace-seconds', '0');
    expect(rotated).toMatchObject({ code: 0, err: expect.stringContaining(`takes the place of ${id}`) });
    expect([await works(made.out), await works(rotated.out)]).toEqual([false, true]);

    const fresh = rotated.err.slice(0, 20);
    expect(await token('revoke', ...of, '--id', fresh)).toMatchObject({ code: 0, out: '' });
    expect(await works(rotated.out)).toBe(false);
    expect(await token('list', ...of)).toEqual({ code: 0, out: '', err: '' });
  });

  it.each([
    [[], 2, ''],
    [['--help'], 0, ''],
    [['drop'], 2, '"drop" is no command; give one of create, list, revoke, rotate'],
    [['list', '--table', 't'], 2, '--tenant is missing'],
    [['list', '--table', 't', '--tenant', 'a', '--scopes', 'read'], 2, '--scopes'],
    [['--table', 't', '--tenant', 'a', '--scopes', 'read', '--expires-in-days', 'soon'], 2, '--expires-in-days is "soon"'],
    [['rotate', '--table', 't', '--tenant', 'a', '--id', 'x', '--grace-seconds', '-1'], 2, 'grace-seconds'],
    [['--table', 'nowhere', '--tenant', 'acme', '--scopes', 'read'], 1, 'there is no table "nowhere"'],
    [['--table', 'nowhere', '--tenant', 'acme', '--scopes', 'all'], 1, '"all" is no scope'],
    [['revoke', '--table', 'nowhere', '--tenant', 'acme', '--id', 'tok_1'], 1, 'there is no token "tok_1"'],
  ])('%j ends with %i', async (args, code, err) => {
    const ended = await token(...args);
    expect(ended.code).toBe(code);
    expect(ended.err).toContain(err);
    expect(ended.err).not.toContain('    at ');
  });
});
