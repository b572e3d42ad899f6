import { describe, expect, it } from 'vitest';
import { classifyAnswer } from '../../../core/outcomes/classify.ts';

const failed = (errorType: string, errorMessage: string, trace?: string[]) =>
  classifyAnswer({ functionError: 'Unhandled', payload: { errorType, errorMessage, ...(trace && { trace }) } });

describe('the status of a plain error', () => {
  it.each([
    ['AxiosError', 'Request failed with status code 503', 503],
    ['HTTPError', 'Response code 502 (Bad Gateway)', 502],
    ['HTTPError', '404 Client Error: Not Found for url: https://a.example/', 404],
    ['urllib.error.HTTPError', 'HTTP Error 500: Internal Server Error', 500],
    ['httpx.HTTPStatusError', "Server error '503 Service Unavailable' for url 'https://a.example'", 503],
    ['java.io.IOException', 'Server returned HTTP response code: 504 for URL: https://a.example', 504],
    ['Error', 'the mail service responded with 421', 421],
    ['Error', 'HTTP/1.1 500 oops', 500],
    ['ServiceUnavailableException', 'try later', 503],
    ['botocore.errorfactory.InternalServerError', 'no', 500],
  ])('%s "%s" is %i', (name, message, status) => {
    expect(failed(name, message).error).toMatchObject({ status });
  });

  it.each([
    ['Error', 'order 503 not found'],
    ['Error', 'took 500 ms'],
    ['Error', 'status code 99'],
    ['Error', 'status code 5030'],
  ])('%s "%s" is none', (name, message) => {
    expect(failed(name, message).error).not.toHaveProperty('status');
  });

  it('of 429 makes it throttled', () => {
    expect(failed('AxiosError', 'Request failed with status code 429').class).toBe('throttled');
    expect(failed('FatalError', 'Request failed with status code 429').class).toBe('fatal');
  });

  it.each([
    ['Retry-After: 30', 30_000],
    ['please retry after 1.5 seconds', 1_500],
    ['retry after 250 ms', 250],
    ['Retry-After=30s', 30_000],
    ['retry after 30 sec.', 30_000],
    ['retry after 1 Second: the quota is used up', 1_000],
    ['retry after 250ms', 250],
    ['retry after 1 millisecond', 1],
    ['retry after 20 milliseconds', 20],
    ['retry after 5 minutes', 300_000],
    ['retry after 1 minute, please', 60_000],
    ['retry after 2min', 120_000],
    ['retry after 1.5 m', 90_000],
    ['retry after 2 HOURS', 7_200_000],
    ['retry after 1h', 3_600_000],
    ['retry after 30', 30_000],
    ['retry after 30, or never', 30_000],
    ['retry after 30.', 30_000],
    ['(retry after 30)', 30_000],
  ])('a message "%s" asks for %i ms', (message, ms) => {
    expect(failed('Error', message).retryAfterMs).toBe(ms);
  });

  it.each([
    ['retry after 2026-01-01T00:00:00Z'],
    ['Retry-After: 12:30'],
    ['retry after 1/2/2026'],
    ['retry after 5-10 seconds'],
    ['retry after 5 days'],
    ['retry after 5d'],
    ['retry after 5\u00b5s'],
    ['retry after 1h30m'],
    ['retry after 3rd of May'],
    ['retry after 1,000 seconds'],
    ['retry after 1.2.3'],
    ['retry after 1767225600'],
    ['Retry-After: Wed, 21 Oct 2026 07:28:00 GMT'],
  ])('a message "%s" asks for nothing that is understood', (message) => {
    expect(failed('Error', message)).not.toHaveProperty('retryAfterMs');
  });
});

describe('a crash', () => {
  const request = 'RequestId: 7f2 ';
  it.each([
    ['Runtime.ExitError', `${request}Error: Runtime exited with error: exit status 1`],
    ['Runtime.OutOfMemory', `${request}Error: Runtime exited with error: signal: killed`],
    ['Sandbox.Timedout', `${request}Error: Task timed out after 3.00 seconds`],
    ['Runtime.ImportModuleError', "Error: Cannot find module 'app'"],
    ['Runtime.HandlerNotFound', 'app.handler is undefined or not exported'],
    ['Runtime.UserCodeSyntaxError', 'SyntaxError: Unexpected token'],
    ['Runtime.UnhandledPromiseRejection', 'Error: no'],
    ['Extension.Crash', 'RequestId: 7f2 Error: exit code 0'],
    ['', `${request}Error: Runtime exited without providing a reason`],
    ['', `${request}Process exited before completing request`],
    ['', '2026-01-01T00:00:00.000Z 7f2 Task timed out after 3.00 seconds'],
  ])('is %s "%s"', (name, message) => {
    expect(failed(name, message).class).toBe('crashed');
  });

  it('is an error that was thrown while the code was loaded', () => {
    const frames = [
      'Error: DB_URL is not set',
      '    at file:///var/task/app.mjs:1:7',
      '    at async _loadUserApp (file:///var/runtime/index.mjs:1091:19)',
    ];
    expect(failed('Error', 'DB_URL is not set', frames).class).toBe('crashed');
  });

  it.each([
    ['RuntimeError', 'no', undefined],
    ['Runtime.MarshalError', 'Unable to marshal response', undefined],
    ['Function.ResponseSizeTooLarge', 'Response payload size exceeded', undefined],
    ['Error', 'Task timed out after 3.00 seconds', ['Error', '    at Runtime.handler (file:///var/task/app.mjs:3:9)']],
  ])('is not %s "%s"', (name, message, trace) => {
    expect(failed(name, message, trace).class).toBe('retryable');
  });
});
