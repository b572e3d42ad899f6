import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  attemptSchema,
  breakerSchema,
  deliverySchema,
  destinationRecordSchema,
  firePayloadSchema,
  hintMessageSchema,
  notificationSchema,
  principalRecordSchema,
  scheduleRecordSchema,
  redriveRecordSchema,
  redriveSliceSchema,
  taskEventSchema,
  taskRowSchema,
  taskTypeSpecSchema,
  tokenRecordSchema,
  webhookSecretsRecordSchema,
} from '@sluice/contracts';
import { expect, it } from 'vitest';
import { endedRequestSchema } from '../../../adapters/aws/ended-requests.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures');

/** The schema that reads a sample, by the beginning of its file's name. */
const SCHEMAS = {
  attempt: attemptSchema,
  breaker: breakerSchema,
  'destination-record': destinationRecordSchema,
  'ended-request': endedRequestSchema,
  delivery: deliverySchema,
  'fire-payload': firePayloadSchema,
  'lane-hint': hintMessageSchema,
  notification: notificationSchema,
  principal: principalRecordSchema,
  'redrive-slice': redriveSliceSchema,
  redrive: redriveRecordSchema,
  row: taskRowSchema,
  schedule: scheduleRecordSchema,
  'task-event': taskEventSchema,
  'task-hint': hintMessageSchema,
  'task-type': taskTypeSpecSchema,
  token: tokenRecordSchema,
  'webhook-secrets': webhookSecretsRecordSchema,
};

const samples = readdirSync(FOLDER);

it.each(samples)('%s, as it was written once, is read as it is', (file) => {
  const name = Object.keys(SCHEMAS).find((prefix) => file.startsWith(prefix)) as keyof typeof SCHEMAS;
  const sample: unknown = JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));
  expect(SCHEMAS[name].parse(sample)).toMatchObject(name === 'destination-record' ? { version: '1.0' } : (sample as object));
});

it('there is a sample of everything that outlives a deployment', () => {
  for (const prefix of Object.keys(SCHEMAS))
    expect(
      samples.filter((file) => file.startsWith(prefix)),
      prefix,
    ).not.toEqual([]);
});

it.each([
  ['a hint', hintMessageSchema, 'task-hint.v1.json'],
  ['a row', taskRowSchema, 'row-waiting.v1.json'],
])('%s of a version that is not known is refused, not guessed at', (_, schema, file) => {
  const sample = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as object;
  expect(schema.safeParse({ ...sample, v: 2 }).success).toBe(false);
});
