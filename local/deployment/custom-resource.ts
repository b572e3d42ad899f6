import { randomUUID } from 'node:crypto';
import type { Json } from '../assembly/template.ts';
import type { HttpReply, HttpRequest } from '../control-plane.ts';
import { HostError } from '../errors.ts';
import type { LambdaService } from '../lambda/service.ts';
import type { HostState } from '../state.ts';
import type { Deployed, ResourceRequest } from './provider.ts';

interface Answer {
  Status?: string;
  Reason?: string;
  PhysicalResourceId?: string;
  Data?: Json;
}

interface Kept {
  properties: Json;
  physicalId: string;
  data: Json;
}

const KIND = 'custom-resource';
const PATH = '/_cloudformation/';

/** How long an answer may come after the handler has ended, in milliseconds. */
const GRACE_MS = 10_000;

/**
 * Custom resources: their functions are asked to create, update and delete, and answer by a PUT to the host.
 * What was created is kept with the host's data, so that a restart does not create it again.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
 */
export class CustomResources {
  private readonly service: LambdaService;
  private readonly state: HostState;
  private readonly baseUrl: string;
  private readonly waiting = new Map<string, (answer: Answer) => void>();

  constructor(service: LambdaService, state: HostState, baseUrl: string) {
    this.service = service;
    this.state = state;
    this.baseUrl = baseUrl;
  }

  /** Takes the answers of handlers. */
  handle(request: HttpRequest): HttpReply | undefined {
    if (!request.path.startsWith(PATH)) return undefined;
    const token = request.path.slice(PATH.length);
    const text = request.body.toString('utf8');
    this.waiting.get(token)?.(text === '' ? {} : (JSON.parse(text) as Answer));
    return { status: 200, headers: {}, body: '' };
  }

  async apply(request: ResourceRequest): Promise<Deployed> {
    const properties = asStrings(request.properties) as Json;
    const stored = this.state.get(KIND, request.id);
    const before = stored === undefined ? undefined : (JSON.parse(stored) as Kept);
    if (before !== undefined && JSON.stringify(before.properties) === JSON.stringify(properties)) {
      return this.deployed(request, before);
    }
    const answer =
      before === undefined
        ? await this.ask(request, { RequestType: 'Create', ResourceProperties: properties })
        : await this.ask(request, {
            RequestType: 'Update',
            ResourceProperties: properties,
            OldResourceProperties: before.properties,
            PhysicalResourceId: before.physicalId,
          });
    const kept: Kept = {
      properties,
      physicalId: answer.PhysicalResourceId ?? before?.physicalId ?? request.logicalId,
      data: answer.Data ?? {},
    };
    this.state.put(KIND, request.id, JSON.stringify(kept));
    // Another physical id means that the update made a new one: the old one is deleted, as CloudFormation does.
    if (before !== undefined && before.physicalId !== kept.physicalId) await this.askToDelete(request, before);
    return this.deployed(request, kept);
  }

  private deployed(request: ResourceRequest, kept: Kept): Deployed {
    return {
      ref: kept.physicalId,
      attribute: (name) => kept.data[name],
      remove: async () => {
        await this.askToDelete(request, kept);
        this.state.delete(KIND, request.id);
      },
    };
  }

  private askToDelete(request: ResourceRequest, kept: Kept): Promise<Answer> {
    return this.ask(request, {
      RequestType: 'Delete',
      ResourceProperties: kept.properties,
      PhysicalResourceId: kept.physicalId,
    });
  }

  private async ask(request: ResourceRequest, what: Json): Promise<Answer> {
    const functionArn = String(request.properties['ServiceToken']);
    const target = this.service.find(functionArn);
    if (target === undefined) throw failed(request, what, `its ServiceToken ${functionArn} is no function of this host`);
    const token = randomUUID();
    const answered = new Promise<Answer>((resolve) => this.waiting.set(token, resolve));
    const event = {
      ...what,
      ServiceToken: functionArn,
      ResponseURL: `${this.baseUrl}${PATH}${token}`,
      StackId: request.stackId,
      RequestId: token,
      LogicalResourceId: request.logicalId,
      ResourceType: request.type,
    };
    let timer: NodeJS.Timeout | undefined;
    try {
      const ended = this.service.invoke(target, JSON.stringify(event)).then(async (outcome) => {
        const why =
          outcome.kind === 'throttled'
            ? 'its function was throttled'
            : outcome.functionError !== undefined
              ? `its function failed: ${outcome.payload}`
              : 'its function ended without an answer';
        // A handler that failed has nothing more to say; another may have handed the answer on.
        const wait = outcome.kind === 'completed' && outcome.functionError === undefined ? GRACE_MS : 100;
        await new Promise((resolve) => (timer = setTimeout(resolve, wait)));
        return { Status: 'FAILED', Reason: why } satisfies Answer;
      });
      const answer = await Promise.race([answered, ended]);
      if (answer.Status !== 'SUCCESS') throw failed(request, what, answer.Reason ?? 'no reason given');
      return answer;
    } finally {
      clearTimeout(timer);
      this.waiting.delete(token);
    }
  }
}

function failed(request: ResourceRequest, what: Json, why: string): HostError {
  const text = `${String(what['RequestType'])} of ${request.logicalId} (${request.type}) failed: ${why}`;
  return new HostError('CUSTOM_RESOURCE_FAILED', text.replaceAll('\n', ' '));
}

/** CloudFormation hands primitive values on as strings. */
function asStrings(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asStrings);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, asStrings(child)]));
  }
  return String(value);
}
