import { admissionDocumentSchema, admissionReportSchema, admissionStateSchema, type AdmissionReport } from '@sluice/contracts';
import { GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { AdmissionStore } from '../../core/ports/admission-store.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import { answerOf, conditionalAnswerOf, type Item } from './answers.ts';
import { admissionKey, REPORT_SHARDS, reportKey, reportPartition, reportSort, shardNumbers } from './keys.ts';
import { allPages } from './pages.ts';

/** Another round of control, which began later, has not written. */
const OLDER = 'attribute_not_exists(#at) OR #at < :at';

/** Seconds after which DynamoDB may delete a report. */
const REPORT_KEPT_SECONDS = 300;

export interface AdmissionStoreConfig {
  readonly table: string;
  readonly telemetry: Telemetry;
}

/** What is told of submissions, in DynamoDB. None of it is read consistently: it is some seconds old anyway. */
export function createAdmissionStore(client: DynamoDBDocumentClient, config: AdmissionStoreConfig): AdmissionStore {
  const { table: TableName, telemetry } = config;

  const parsed = <T>(schema: { readonly parse: (value: unknown) => T }, item: Item): T[] => {
    try {
      return [schema.parse(JSON.parse(String(item['json'])))];
    } catch (error) {
      telemetry.log('error', 'admission data that cannot be read', { key: item['s'], error: String(error) });
      return [];
    }
  };

  const read = async <T>(what: 'document' | 'state', schema: { readonly parse: (value: unknown) => T }): Promise<T | undefined> => {
    const command = new GetCommand({ TableName, Key: admissionKey(what) });
    const { Item: item } = await answerOf(`read the ${what} of admission`, client.send(command));
    return item && parsed(schema, item)[0];
  };

  const put = async (what: 'document' | 'state', value: { readonly at: number }): Promise<void> => {
    const command = new PutCommand({
      TableName,
      Item: { ...admissionKey(what), v: 1, at: value.at, json: JSON.stringify(value) },
      ConditionExpression: OLDER,
      ExpressionAttributeNames: { '#at': 'at' },
      ExpressionAttributeValues: { ':at': value.at },
    });
    await conditionalAnswerOf(`write the ${what} of admission`, client.send(command));
  };

  const reportsOf = async (shard: number, since: number): Promise<readonly AdmissionReport[]> => {
    const items = await allPages('read reports of admission', (from) =>
      client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: 'p = :p AND s >= :since',
          ExpressionAttributeValues: { ':p': reportPartition(shard), ':since': reportSort(since) },
          ExclusiveStartKey: from,
        }),
      ),
    );
    return items.flatMap((item) => parsed(admissionReportSchema, item));
  };

  return {
    putReport: async (report) => {
      const ttl = Math.ceil(report.to / 1000) + REPORT_KEPT_SECONDS;
      const item = { ...reportKey(report.by, report.to), v: 1, json: JSON.stringify(report), ttl };
      await answerOf('report admission', client.send(new PutCommand({ TableName, Item: item })));
    },
    reports: async (since) => (await Promise.all(shardNumbers(REPORT_SHARDS).map((shard) => reportsOf(shard, since)))).flat(),
    document: () => read('document', admissionDocumentSchema),
    putDocument: (document) => put('document', document),
    state: () => read('state', admissionStateSchema),
    putState: (state) => put('state', state),
  };
}
