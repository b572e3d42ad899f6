import {
  CreateEventSourceMappingCommand,
  ListEventSourceMappingsCommand,
  type EventSourceMappingConfiguration,
} from '@aws-sdk/client-lambda';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { PRIORITIES } from '@sluice/contracts';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from '../world/stage.ts';
import { hostNameOf } from '../world/world.ts';
import type { Exercise } from './exercise.ts';
import { isThere, makeQueues, nameOfQueue, noteDedicated, noteResident, QUEUES, takeGeneration } from './routing-scenes.ts';

/** The stack is deleted, and with it what was made at run time. */
export const stackDeletions: readonly Exercise[] = [
  {
    name: 'takes all dedicated queues away with the platform',
    alone: QUEUES,
    calls: ['control'],
    of: 'functions/control/clean-up',
    run: async (stage) => {
      const generation = await noteDedicated(stage, 'creating');
      const isConnected = async (): Promise<boolean> => (await sourcesOf(stage, generation)).length === PRIORITIES.length;
      await stage.until('it has queues of its own', isConnected);
      const [source = {}] = await sourcesOf(stage, generation);
      const answered = removed(stage);
      const made = (async (): Promise<number> => {
        await stage.until('they are taken away', () => isGone(stage, generation));
        // A round of control that has begun before goes on.
        const late = await takeGeneration(stage);
        await makeQueues(stage, late);
        await connect(stage, source, generation, late);
        return late;
      })();
      const [late] = await Promise.all([made, answered]);
      // Where a fault has been in the way, they may have been made after the last look.
      if (!(await isGone(stage, late))) await removed(stage);
      const { dedicated = [] } = (await stage.world.routes.read()) ?? {};
      if (dedicated.length > 0) throw new Error(`the routing still names ${dedicated.map(({ tenant }) => tenant).join(', ')}`);
      for (const each of [generation, late]) {
        if (!(await isGone(stage, each))) throw new Error(`queues of generation ${each} are left`);
        const left = await sourcesOf(stage, each);
        if (left.length > 0) throw new Error(`event sources are left: ${JSON.stringify(left)}`);
      }
      await noteResident(stage);
    },
  },
];

async function isGone(stage: Stage, generation: number): Promise<boolean> {
  const there = await Promise.all(PRIORITIES.map((priority) => isThere(stage, priority, generation)));
  return !there.includes(true);
}

/** Those that work, or will. */
async function sourcesOf({ world: { clients } }: Stage, generation: number): Promise<readonly EventSourceMappingConfiguration[]> {
  const { EventSourceMappings = [] } = await clients.lambda.send(new ListEventSourceMappingsCommand({}));
  const names = PRIORITIES.map((priority) => nameOfQueue(priority, generation));
  return EventSourceMappings.filter(
    ({ EventSourceArn = '', State }) => State !== 'Deleting' && names.some((name) => EventSourceArn.endsWith(`:${name}`)),
  );
}

/** Gives a queue of a generation an event source like one that another has had. */
async function connect(stage: Stage, like: EventSourceMappingConfiguration, generation: number, late: number): Promise<void> {
  const { EventSourceArn, FunctionArn, BatchSize } = like;
  const command = new CreateEventSourceMappingCommand({
    EventSourceArn: EventSourceArn?.replace(new RegExp(`${generation}$`), String(late)),
    FunctionName: FunctionArn,
    BatchSize,
  });
  const { UUID } = await stage.world.clients.lambda.send(command);
  if (UUID !== undefined) stage.names.push(UUID);
}

const TRIES = 6;
const PAUSE_MS = 500;

/** CloudFormation deletes what stands for the dedicated queues, again if it fails. */
async function removed(stage: Stage): Promise<void> {
  for (let tries = 1; ; tries++) {
    const answered = await deletionAnswered(stage);
    if (answered === 'SUCCESS') return;
    if (tries === TRIES) throw new Error(`the dedicated queues could not be deleted: ${answered}`);
    await sleep(PAUSE_MS);
  }
}

async function deletionAnswered(stage: Stage): Promise<string | undefined> {
  let status: string | undefined;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      ({ Status: status } = JSON.parse(Buffer.concat(chunks).toString()) as { Status: string });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const event = {
    RequestType: 'Delete',
    PhysicalResourceId: 'dedicated-queues',
    StackId: `stack-of-${stage.tenant}`,
    RequestId: stage.tenant,
    LogicalResourceId: 'DedicatedQueues',
    ResourceType: 'Custom::SluiceDedicatedQueues',
    ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${stage.tenant}`,
  } satisfies Partial<CloudFormationCustomResourceEvent>;
  try {
    await stage.world.host.invoke(hostNameOf('control'), event);
    return status;
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
