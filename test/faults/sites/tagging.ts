import { AsyncLocalStorage } from 'node:async_hooks';

/*
 * Bundled into the functions under test (see instrument.ts): tells the proxy, by headers, which call site each request
 * comes from. Its exports stand around calls of ports and commands of the SDK in the functions' own sources.
 */

/** The call of a port that we are in, and what it is about. */
const calling = new AsyncLocalStorage<{ readonly port: string; readonly about: string }>();

/** What of a call's arguments is told: enough to see whose it is where the request does not say it. */
const ABOUT = 1_500;

let calls = 0;

/** Headers of a request, by which the proxy knows its call site; `call` is the same for every try of one call. */
function headersOf(command: string): Record<string, string> {
  const { port = 'none', about = '' } = calling.getStore() ?? {};
  calls += 1;
  return {
    'x-sluice-port': port,
    'x-sluice-command': command,
    'x-sluice-about': about,
    'x-sluice-call': `${process.pid}.${calls}`,
    'x-sluice-pid': String(process.pid),
  };
}

type Method = (...args: unknown[]) => unknown;

/** A method of a port, which runs as that call site; of none where it may be left out, as after `?.`. */
export function sluicePort(port: string, object: Record<string, Method> | undefined, method: string): Method {
  return (...args) => {
    const context = { port, about: encodeURIComponent(JSON.stringify(args).slice(0, ABOUT)) };
    const result = calling.run(context, () => object?.[method]?.(...args));
    return isIterable(result) ? iteratedAs(context, result) : result;
  };
}

/** A command of the slim clients, whose request carries the tags of where it was made. */
export function sluiceCommand<C extends { operation: { callOf: (input: never) => object } }>(command: string, made: C): C {
  const headers = headersOf(command);
  const { operation } = made;
  const callOf = (input: never): object => {
    const call = operation.callOf(input) as { headers: object };
    return { ...call, headers: { ...call.headers, ...headers } };
  };
  return Object.assign(made, { operation: { ...operation, callOf } });
}

/** `fetch` by way of the proxy. */
export function sluiceFetch(port: string, fetched: typeof fetch): typeof fetch {
  return (url, init = {}) => {
    const headers = calling.run({ port, about: '' }, () => headersOf('fetch'));
    const through = `${process.env['SLUICE_FAULTS_FETCH']}?to=${encodeURIComponent(url instanceof Request ? url.url : String(url))}`;
    return fetched(through, { ...init, headers: { ...(init.headers as Record<string, string>), ...headers } });
  };
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** A generator runs in the context of whoever asks it for the next value. */
function iteratedAs(context: { port: string; about: string }, values: AsyncIterable<unknown>): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = values[Symbol.asyncIterator]();
      return {
        next: () => calling.run(context, () => iterator.next()),
        return: async (value) => calling.run(context, async () => (await iterator.return?.(value)) ?? { done: true, value }),
      };
    },
  };
}
