import { controlMessageSchema, type ControlMessage } from '@sluice/contracts';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createControlQueue } from '../../adapters/aws/control-queue.ts';
import { createMemoryControlQueue, createMemoryTelemetry } from '../../adapters/memory/index.ts';
import { A } from './fixtures.ts';
import { clientsAt, startFaux, startStandIn, type Faux } from './servers.ts';

let faux: Faux;
beforeAll(async () => {
  faux = await startFaux();
});
afterAll(() => faux.stop());

const divide: ControlMessage = { v: 1, kind: 'divide', made: 1_000, tenant: A, type: 'thumbnail' };

describe('control queue', () => {
  it('keeps what it is told in memory', async () => {
    const heard: ControlMessage[] = [];
    const queue = createMemoryControlQueue((message) => void heard.push(message));
    expect(await queue.tell(divide)).toBe(true);
    expect([queue.take(), queue.take(), heard]).toEqual([[divide], [], [divide]]);
  });

  it('keeps it in SQS', async () => {
    const { queueUrl } = faux.server.createQueue('control', {});
    const queue = createControlQueue(faux.clients.sqs, { queueUrl, telemetry: createMemoryTelemetry() });
    expect(await queue.tell(divide)).toBe(true);
    const { Messages = [] } = await faux.clients.sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }));
    expect(Messages.map(({ Body = '' }) => controlMessageSchema.parse(JSON.parse(Body)))).toEqual([divide]);
  });

  it('says when SQS did not take it, and does not throw', async () => {
    const telemetry = createMemoryTelemetry();
    const Failed = [{ Id: '0', Code: 'InternalError', SenderFault: false }];
    const standIn = await startStandIn(() => ({ status: 200, body: JSON.stringify({ Successful: [], Failed }) }));
    const queue = createControlQueue(clientsAt({ sqsEndpoint: standIn.endpoint }).sqs, { queueUrl: 'http://sqs/q', telemetry });
    expect(await queue.tell(divide)).toBe(false);
    await standIn.stop();
    expect(await queue.tell(divide)).toBe(false);
    expect(telemetry.lines().map(({ message }) => message)).toEqual(['control could not be told', 'control could not be told']);
    expect(telemetry.lines().map(({ fields }) => fields?.['told'])).toEqual([divide, divide]);
  });
});
