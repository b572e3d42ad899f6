import { LIMITS, S3_SHORT_DAYS, TABLE } from '@sluice/contracts';
import type { RemovalPolicy } from 'aws-cdk-lib';
import { Duration } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcard } from '../acknowledge.ts';

type TableAction = 'GetItem' | 'BatchGetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'Query' | 'Scan' | 'BatchWriteItem';

export interface StorageProps {
  readonly listIndex: boolean;
  readonly deletionProtection: boolean;
  readonly removalPolicy: RemovalPolicy;
}

/**
 * Days after which an object under `long/` is deleted: no task may outlive its payload, so this is the longest delay and
 * a year for retries and dedup. Nothing but the lifecycle deletes objects: of rows whose time to live is over, of
 * submissions that were broken off.
 */
const LONG_DAYS = Math.ceil(LIMITS.delaySeconds / 86_400) + 365;

/** The one table and the bucket for payloads and results that are too large for it. */
export class Storage extends Construct {
  readonly table: Table;
  readonly bucket: Bucket;
  readonly #listIndex: boolean;

  constructor(scope: Construct, id: string, props: StorageProps) {
    super(scope, id);
    this.#listIndex = props.listIndex;
    this.table = this.#makeTable(props);
    this.bucket = new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      removalPolicy: props.removalPolicy,
      // No versioning: an object is keyed by its task's uid and only ever written again as it is.
      lifecycleRules: [
        // A day later than the functions count on: S3 rounds to days.
        { id: 'short', prefix: 'short/', expiration: Duration.days(S3_SHORT_DAYS + 1) },
        { id: 'long', prefix: 'long/', expiration: Duration.days(LONG_DAYS) },
        { id: 'uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
    acknowledge(
      this.bucket,
      'AwsSolutions-S1',
      'Only the functions of the platform can reach the bucket and each task has a timeline; who needs object-level logs turns on CloudTrail data events.',
    );
  }

  /** Lets a function use the table, and tells it its name. Keys may be limited to leading patterns, see LEADING_KEYS. */
  grantTable(fn: LambdaFunction, actions: readonly TableAction[], leadingKeys?: readonly string[]): void {
    fn.addEnvironment('SLUICE_TABLE', this.table.tableName);
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: actions.map((action) => `dynamodb:${action}`),
        resources: [this.table.tableArn],
        ...(leadingKeys && { conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': leadingKeys } } }),
      }),
    );
  }

  /** Without it S3 answers 403 for an object that is gone, which cannot be told from a missing grant. */
  grantListBucket(fn: LambdaFunction): void {
    fn.addToRolePolicy(new PolicyStatement({ actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] }));
  }

  /** Lets a function read or write objects, and tells it the bucket's name. */
  grantBucket(fn: LambdaFunction, actions: readonly ('GetObject' | 'PutObject')[]): void {
    const objects = this.bucket.arnForObjects('*');
    fn.addEnvironment('SLUICE_BUCKET', this.bucket.bucketName);
    fn.addToRolePolicy(new PolicyStatement({ actions: actions.map((action) => `s3:${action}`), resources: [objects] }));
    acknowledgeWildcard(fn.role ?? fn, objects, 'Objects are keyed by the uid of a task, which is not known before it is submitted.');
  }

  /** Lets a function list a tenant's tasks, where there is an index for it, and tells it whether there is. */
  grantList(fn: LambdaFunction): void {
    this.tellListIndex(fn);
    if (!this.#listIndex) return;
    const index = `${this.table.tableArn}/index/${TABLE.listIndex.name}`;
    fn.addToRolePolicy(new PolicyStatement({ actions: ['dynamodb:Query'], resources: [index] }));
  }

  /** Lets a function list a tenant's failed tasks, and read their rows. */
  grantDead(fn: LambdaFunction): void {
    const index = `${this.table.tableArn}/index/${TABLE.deadIndex.name}`;
    fn.addToRolePolicy(new PolicyStatement({ actions: ['dynamodb:Query'], resources: [index] }));
  }

  /** Tells a function that writes rows whether they carry the keys of the list index. */
  tellListIndex(fn: LambdaFunction): void {
    fn.addEnvironment('SLUICE_LIST_INDEX', this.#listIndex ? 'on' : 'off');
  }

  #makeTable(props: StorageProps): Table {
    const table = new Table(this, 'Table', {
      partitionKey: { name: TABLE.partitionKey, type: AttributeType.STRING },
      sortKey: { name: TABLE.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: TABLE.ttl,
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.DEFAULT,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: props.deletionProtection,
      removalPolicy: props.removalPolicy,
    });
    // Keys only: an index that copied attributes would cost a write for each change of a row.
    for (const index of props.listIndex ? [TABLE.listIndex, TABLE.deadIndex] : [TABLE.deadIndex]) {
      table.addGlobalSecondaryIndex({
        indexName: index.name,
        partitionKey: { name: index.partitionKey, type: AttributeType.STRING },
        sortKey: { name: index.sortKey, type: AttributeType.STRING },
        projectionType: ProjectionType.KEYS_ONLY,
      });
    }
    return table;
  }
}
