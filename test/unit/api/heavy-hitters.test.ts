import { heavyHittersSchema, ROUTES } from '@sluice/contracts';
import { expect, it } from 'vitest';
import {
  createMemoryAdmissionStore,
  createMemoryClock,
  createMemoryTelemetry,
  createMemoryTokenStore,
} from '../../../adapters/memory/index.ts';
import { createHttpHandler } from '../../../adapters/http/create-http-handler.ts';
import { admissionRoutes } from '../../../functions/api/admission-routes.ts';
import { makeDocument } from '../../contract/admission-store.ts';
import { answerOf, request, type RequestOptions } from '../http/requests.ts';
import { NOW } from '../../contract/fixtures.ts';

function platform() {
  const clock = createMemoryClock(NOW);
  const admissions = createMemoryAdmissionStore();
  const deps = { tokens: createMemoryTokenStore(), telemetry: createMemoryTelemetry() };
  const handler = createHttpHandler(deps, ROUTES, admissionRoutes({ admissions, clock }));
  const get = async (options: RequestOptions = {}) =>
    answerOf(await handler(request('GET /v1/heavy-hitters', { scopes: ['platform'], ...options })));
  return { clock, admissions, get };
}

it('tells who submits most, their shares, and what is refused of them', async () => {
  const { admissions, get } = platform();
  await admissions.putDocument(makeDocument({ at: NOW - 5_000 }));
  const { status, body } = await get();
  expect(status).toBe(200);
  expect(heavyHittersSchema.parse(body)).toEqual(body);
  expect(body).toEqual({
    at: new Date(NOW - 5_000).toISOString(),
    offeredPerSecond: 22,
    refusedPerSecond: 0.2,
    pressed: true,
    targetPerSecond: 20,
    tenants: [
      { tenant: 'acme', offeredPerSecond: 20, refusedPerSecond: 0.2, share: 0.909, refusing: { code: 'throttled', part: 0.5 } },
      { tenant: 'acme-2', offeredPerSecond: 2, refusedPerSecond: 0, share: 0.091 },
    ],
  });
  expect(((await get({ query: { limit: '1' } })).body as { tenants: object[] }).tenants).toHaveLength(1);
});

it('tells nothing where nothing was put together lately', async () => {
  const { clock, admissions, get } = platform();
  const nothing = { offeredPerSecond: 0, refusedPerSecond: 0, pressed: false, tenants: [] };
  expect((await get()).body).toEqual(nothing);
  await admissions.putDocument(makeDocument());
  clock.advance(90_001);
  expect((await get()).body).toEqual(nothing);
});

it.each([['0'], ['201'], ['x']])('refuses a limit of %s', async (limit) => {
  expect(await platform().get({ query: { limit } })).toMatchObject({ status: 400, body: { code: 'bad_request' } });
});
