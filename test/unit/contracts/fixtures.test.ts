import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  admissionDocumentSchema,
  admissionReportSchema,
  admissionStateSchema,
  attemptSchema,
  breakerSchema,
  controlMessageSchema,
  deliverySchema,
  destinationRecordSchema,
  firePayloadSchema,
  grantSchema,
  hintMessageSchema,
  notificationSchema,
  principalRecordSchema,
  quotaRecordSchema,
  rateGrantSchema,
  rateRestSchema,
  runCountsSchema,
  scheduleRecordSchema,
  startChoiceSchema,
  redriveRecordSchema,
  redriveSliceSchema,
  resourceSpecSchema,
  routingDocumentSchema,
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
  'admission-document': admissionDocumentSchema,
  'admission-report': admissionReportSchema,
  'admission-state': admissionStateSchema,
  attempt: attemptSchema,
  breaker: breakerSchema,
  'control-admission': controlMessageSchema,
  'control-divide': controlMessageSchema,
  'destination-record': destinationRecordSchema,
  'ended-request': endedRequestSchema,
  delivery: deliverySchema,
  'fire-payload': firePayloadSchema,
  grant: grantSchema,
  'lane-hint': hintMessageSchema,
  notification: notificationSchema,
  principal: principalRecordSchema,
  quota: quotaRecordSchema,
  'rate-grant': rateGrantSchema,
  'rate-rest': rateRestSchema,
  'redrive-slice': redriveSliceSchema,
  redrive: redriveRecordSchema,
  resource: resourceSpecSchema,
  routing: routingDocumentSchema,
  row: taskRowSchema,
  'run-counts': runCountsSchema,
  schedule: scheduleRecordSchema,
  'start-choice': startChoiceSchema,
  'task-event': taskEventSchema,
  'task-hint': hintMessageSchema,
  'task-type': taskTypeSpecSchema,
  token: tokenRecordSchema,
  'webhook-secrets': webhookSecretsRecordSchema,
};

/** Lane cells have no schema but their codec: see adapters/permit-cell.test.ts. */
const samples = readdirSync(FOLDER).filter((file) => !file.startsWith('lane-cell'));

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
