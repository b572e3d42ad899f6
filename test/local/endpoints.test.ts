import { afterEach, expect, it } from 'vitest';
import { closeAll, inlineFunction, run, synthesise, type Parsed } from './support/harness.ts';

afterEach(closeAll);

it('gives a function the addresses of services that it is told to, and others the own ones of the services', async () => {
  const assembly = synthesise((stack) => {
    for (const name of ['spoilt', 'plain']) inlineFunction(stack, name, 'exports.handler = async () => process.env;');
  });
  const host = await run(assembly, {
    endpointsFor: (name, services) => (name === 'spoilt' ? { ...services, sqs: 'http://127.0.0.1:1/between' } : services),
  });
  const environmentOf = async (name: string): Promise<Parsed> => {
    const outcome = await host.invoke(name, {});
    if (outcome.kind !== 'completed') throw new Error(outcome.kind);
    return JSON.parse(outcome.payload) as Parsed;
  };

  const [spoilt, plain] = [await environmentOf('spoilt'), await environmentOf('plain')];
  expect([spoilt['AWS_ENDPOINT_URL_SQS'], spoilt['AWS_ENDPOINT_URL_S3']]).toEqual(['http://127.0.0.1:1/between', host.endpoints.s3]);
  expect(plain['AWS_ENDPOINT_URL_SQS']).toBe(host.endpoints.sqs);
});
