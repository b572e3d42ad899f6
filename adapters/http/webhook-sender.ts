import { lookup as resolve, type LookupAddress } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { rootCertificates } from 'node:tls';
import { flawOfAddress } from '../../core/notify/address.ts';
import { flawOfUrl, isOpenHost, type UrlRules } from '../../core/notify/check-url.ts';
import type { WebhookAnswer, WebhookRequest, WebhookSender } from '../../core/ports/webhook-sender.ts';

export interface WebhookSenderConfig {
  readonly rules: UrlRules;
  /** In PEM: whom to trust beside the well-known authorities. */
  readonly ca?: string;
  /** Finds the addresses of a name. @default the system's resolver */
  readonly resolve?: (hostname: string) => Promise<readonly LookupAddress[]>;
}

/** Bytes of an answer that are read; the connection is cut after them. */
const BODY_BYTES = 1_024;

class ForbiddenAddressError extends Error {}

/**
 * Calls webhooks over TLS. The address is checked at the one place where it is also connected to: a name that is looked
 * up a second time may lead elsewhere. Every call has a connection of its own, so that none outlives its check.
 */
export function createWebhookSender({ rules, ca, resolve: find = resolveAll }: WebhookSenderConfig): WebhookSender {
  const trusted = ca === undefined ? {} : { ca: [...rootCertificates, ca] };
  return {
    send: async (_tenant, request) => {
      const flaw = flawOfUrl(request.url, rules);
      if (flaw !== undefined) return { kind: 'forbidden', message: `the webhook's URL is not allowed: ${flaw}` };
      const { hostname } = new URL(request.url);
      const lookup = isOpenHost(hostname, rules) ? lookupBy(find) : lookupBy(async (name) => onlyPublic(name, await find(name)));
      try {
        return await call(request, { lookup, ...trusted });
      } catch (error) {
        if (error instanceof ForbiddenAddressError) return { kind: 'forbidden', message: error.message };
        return { kind: 'failed', message: `the receiver gave no answer: ${error instanceof Error ? error.message : String(error)}` };
      }
    },
  };
}

/** @throws ForbiddenAddressError when any of the addresses is none that webhooks may go to: then the name is not to be trusted */
function onlyPublic(name: string, addresses: readonly LookupAddress[]): readonly LookupAddress[] {
  for (const { address } of addresses) {
    const flaw = flawOfAddress(address);
    if (flaw !== undefined) throw new ForbiddenAddressError(`the webhook's host ${name} is not allowed: ${flaw}`);
  }
  return addresses;
}

function resolveAll(hostname: string): Promise<readonly LookupAddress[]> {
  return new Promise((done, fail) => {
    resolve(hostname, { all: true }, (error, addresses) => (error ? fail(error) : done(addresses)));
  });
}

/** A resolver in the form that a socket takes it. */
function lookupBy(find: (hostname: string) => Promise<readonly LookupAddress[]>): LookupFunction {
  return (hostname, options, done) => {
    find(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (!first) done(new Error(`${hostname} has no address`), '');
        else if (options.all) done(null, [...addresses]);
        else done(null, first.address, first.family);
      },
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), ''),
    );
  };
}

interface Connection {
  readonly lookup: LookupFunction;
  readonly ca?: string[];
}

/** Follows no redirect: its target would be an URL that nobody has checked. */
function call({ url, headers, body, timeoutMs }: WebhookRequest, connection: Connection): Promise<WebhookAnswer> {
  return new Promise((done, fail) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const late = (error: Error): Error => (signal.aborted ? new Error(`not within ${timeoutMs / 1_000} s`) : error);
    const request = httpsRequest(
      url,
      {
        ...connection,
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        signal,
        agent: false,
      },
      (response) => {
        answerOf(response).then(done, (error: Error) => fail(late(error)));
      },
    );
    request.on('error', (error) => fail(late(error)));
    request.end(body);
  });
}

async function answerOf(response: IncomingMessage): Promise<WebhookAnswer> {
  const { statusCode: status = 0, headers } = response;
  const retryAfter = headers['retry-after'];
  // What a receiver says beside its success is of no interest.
  const body = status >= 200 && status < 300 ? '' : await beginningOf(response);
  response.destroy();
  return { kind: 'answered', status, body, ...(retryAfter !== undefined && { retryAfter }) };
}

async function beginningOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= BODY_BYTES) break;
  }
  // What is no text in UTF-8, or cut within a character, is no character of an error either.
  return Buffer.concat(chunks)
    .subarray(0, BODY_BYTES)
    .toString('utf8')
    .replace(/[\ufffd\ufffe\uffff]/g, '');
}
