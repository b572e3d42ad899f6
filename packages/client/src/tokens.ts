import { issuedTokenSchema, ROUTES, tokenIdSchema, tokenListSchema } from '@sluice/contracts';
import type { IssuedToken, RotateRequest, TokenRequest, TokenView } from '@sluice/contracts';
import { pathOf } from './path.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

/** How {@link Tokens.rotate} replaces a token. */
export interface RotateOptions extends CallOptions, RotateRequest {}

/**
 * The API tokens of the client's tenant; needs the scope `admin`.
 *
 * `create` and `rotate` make a token that only their answer holds, so they are repeated only when the API refused them
 * before it did anything (429). When they fail with a {@link ConnectionError} or a {@link ServerError}, a token may have
 * been made that nobody holds: look for it with {@link list}, and {@link revoke} it.
 */
export class Tokens {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Makes a token. Its text is in the answer and nowhere else.
   *
   * @throws ApiError `too_many_tokens` at 100 tokens; `bad_request`
   * @throws ConnectionError at once: see {@link Tokens}
   */
  async create(request: TokenRequest, { signal }: CallOptions = {}): Promise<IssuedToken> {
    const body = JSON.stringify(request);
    return (await this.#transport.call({ ...ROUTES.createToken, schema: issuedTokenSchema, body, repeat: 'refused', signal })).data;
  }

  /** All tokens of the tenant, without their texts. */
  async list({ signal }: CallOptions = {}): Promise<readonly TokenView[]> {
    return (await this.#transport.call({ ...ROUTES.listTokens, schema: tokenListSchema, signal })).data.tokens;
  }

  /**
   * Ends a token. The API's gateway may take it for up to a minute longer (as the platform's `tokenCacheTtl` says).
   * @throws ApiError `not_found` for an id that this tenant does not have
   */
  async revoke(id: string, { signal }: CallOptions = {}): Promise<void> {
    const { method, path } = ROUTES.revokeToken;
    await this.#transport.call({ method, path: tokenPath(path, id), removes: true, signal });
  }

  /**
   * Makes a token with the rights of another one, which goes on working for `graceSeconds`: an hour by default, 0 to 30
   * days.
   *
   * @throws ApiError `not_found` for an id that this tenant does not have
   * @throws ConnectionError at once: see {@link Tokens}
   */
  async rotate(id: string, { signal, ...request }: RotateOptions = {}): Promise<IssuedToken> {
    const { method, path } = ROUTES.rotateToken;
    const call = { method, path: tokenPath(path, id), schema: issuedTokenSchema, repeat: 'refused' as const };
    return (await this.#transport.call({ ...call, body: JSON.stringify(request), signal })).data;
  }
}

function tokenPath(route: string, id: string): string {
  return pathOf(route, id, tokenIdSchema, 'token id');
}
