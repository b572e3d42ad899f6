import { DeleteCommand, GetCommand } from '@aws-sdk/lib-dynamodb';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { resourceItemKey, TYPES_PARTITION } from '../../../adapters/aws/keys.ts';
import { LATER_TYPE, TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import { hostNameOf } from '../world/world.ts';
import type { Exercise } from './exercise.ts';
import { newTypesAreKnown } from './scenes.ts';
import { REGISTER } from './sites.ts';

/** A deployment is done again so often by whoever wants it done. */
const TRIES = 6;

/** Deployments, as CloudFormation has the `registrar` do its part of them. */
export const deployments: readonly Exercise[] = [
  ...(['task type', 'resource'] as const).map((kind): Exercise => ({
    name: `registers, changes and removes a ${kind}`,
    ticks: ['registrar'],
    run: (stage) =>
      withRegistered(stage, kind, async (stack, type, renamed) => {
        const updated = await stack.request('Update', renamed, type);
        if (updated.Status === 'SUCCESS') {
          await stack.isThere(renamed, true);
          await stack.remove(type);
          await stack.isThere(type, false);
          await stack.remove(updated.PhysicalResourceId);
        } else {
          // CloudFormation rolls an update back by updating to what was before.
          await stack.until('Update', type, type);
          await stack.isThere(type, true);
          await stack.remove(type);
        }
      }),
  })),
  {
    name: 'rolls the renaming of a task type back',
    ticks: ['registrar'],
    run: (stage) =>
      withRegistered(stage, 'task type', async (stack, type, renamed) => {
        stage.arm({ ...REGISTER, kind: 'fail' });
        const updated = await stack.request('Update', renamed, type);
        if (updated.Status === 'SUCCESS') await stack.remove(updated.PhysicalResourceId);
        else await stack.until('Update', type, type);
        await stack.isThere(renamed, false);
        await stack.isThere(type, true);
        await stack.remove(type);
      }),
  },
  {
    name: 'deploys a new task type',
    alone: 'deployment',
    ticks: ['registrar'],
    run: async (stage) => {
      const { host, assemblies } = stage.world;
      await deployed(() => host.reload(assemblies.later));
      await newTypesAreKnown();
      await stage.submit('task', LATER_TYPE, { do: 'ok' });
      await stage.ends('task', { state: 'succeeded', attempts: 1 });
      await deployed(() => host.reload(assemblies.first));
    },
  },
];

type Kind = 'task type' | 'resource';

/** A stack with a task type or a resource, which it may rename. In the end nothing may be left of either. */
async function withRegistered(
  stage: Stage,
  kind: Kind,
  run: (stack: Stack, type: string, renamed: string) => Promise<void>,
): Promise<void> {
  const stack = new Stack(stage, kind);
  const type = `type-of-${stage.tenant}`;
  const renamed = `other-${type}`;
  try {
    await stack.open();
    const created = await stack.request('Create', type);
    // A creation that failed is deleted.
    if (created.Status !== 'SUCCESS') await stack.remove(created.PhysicalResourceId);
    else {
      await stack.isThere(type, true);
      await run(stack, type, renamed);
    }
    await stack.isThere(type, false);
    await stack.isThere(renamed, false);
  } finally {
    await stack.close();
  }
}

/** A deployment fails or is done; one that failed is done again. */
async function deployed(deploy: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await deploy();
      return;
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
}

interface Answer {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly PhysicalResourceId: string;
  readonly Reason?: string;
}

/** Waits of Lambda before its two retries of an asynchronous event, shorter. */
const RETRY_MS = [500, 500];

/** A stack in CloudFormation, as the registrar sees it: asks, and is answered at an address of its own. */
class Stack {
  private readonly stage: Stage;
  private readonly kind: Kind;
  private requests = 0;
  private answered = Promise.withResolvers<Answer>();
  private readonly server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.answered.resolve(JSON.parse(Buffer.concat(chunks).toString()) as Answer);
      response.end();
    });
  });

  constructor(stage: Stage, kind: Kind) {
    this.stage = stage;
    this.kind = kind;
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Invokes it asynchronously, twice more if it fails. No answer at all fails the deployment, as CloudFormation's time-out does. */
  async request(RequestType: 'Create' | 'Update' | 'Delete', type: string, PhysicalResourceId?: string): Promise<Answer> {
    const { tenant, world } = this.stage;
    this.answered = Promise.withResolvers<Answer>();
    this.requests += 1;
    const event = {
      RequestType,
      ...(PhysicalResourceId !== undefined && { PhysicalResourceId }),
      StackId: `stack-of-${tenant}`,
      RequestId: `${tenant}-${this.requests}`,
      LogicalResourceId: 'Type',
      ResourceType: this.kind === 'resource' ? 'Custom::SluiceResource' : 'Custom::SluiceTaskType',
      ResponseURL: `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/${tenant}`,
      ResourceProperties: { Spec: JSON.stringify(this.specOf(type)) },
    };
    for (const pause of [...RETRY_MS, undefined]) {
      const outcome = await world.host.invoke(hostNameOf('registrar'), event);
      if (outcome.kind === 'completed' && outcome.functionError === undefined) return this.answered.promise;
      if (pause !== undefined) await sleep(pause);
    }
    throw new Error(`the registrar failed three times at ${RequestType}`);
  }

  /** A request that must succeed in the end: whoever deploys does it again. */
  async until(what: 'Update' | 'Delete', type: string, physicalId: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      const answer = await this.request(what, type, physicalId);
      if (answer.Status === 'SUCCESS') return;
      if (tries === TRIES) throw new Error(`${what} failed: ${answer.Reason}`);
    }
  }

  async remove(physicalId: string): Promise<void> {
    await this.until('Delete', physicalId, physicalId);
  }

  /** @throws when something is registered that should not be, or is not that should */
  async isThere(type: string, expected: boolean): Promise<void> {
    const { clients, table: TableName } = this.stage.world;
    const Key = this.kind === 'resource' ? resourceItemKey(type) : { p: TYPES_PARTITION, s: type };
    const { Item } = await clients.dynamodb.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
    if ((Item !== undefined) === expected) return;
    await clients.dynamodb.send(new DeleteCommand({ TableName, Key }));
    throw new Error(`the ${this.kind} ${type} is ${expected ? 'not ' : ''}registered`);
  }

  private specOf(type: string): object {
    if (this.kind === 'resource') return { v: 1, resource: type, concurrency: 3 };
    return {
      v: 1,
      type,
      handler: { kind: 'lambda', arn: `arn-of-${TYPES.event}` },
      start: 'event',
      timeoutSeconds: 2,
      concurrency: 1,
      retry: {},
    };
  }
}
