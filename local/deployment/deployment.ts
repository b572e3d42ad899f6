import { arnOf, digest } from '../account.ts';
import { readTemplate, type Assembly, type Stack } from '../assembly/read.ts';
import { inReferenceOrder } from '../assembly/references.ts';
import { conditionHolds, resolveValue, type Scope } from '../assembly/resolve.ts';
import type { Json, Template } from '../assembly/template.ts';
import { HostError } from '../errors.ts';
import { ignoredResource, isIgnored } from './ignored.ts';
import type { Deployed, ResourceProvider, ResourceRequest } from './provider.ts';

interface Entry {
  logicalId: string;
  stackName: string;
  /** The resolved properties as JSON: equal ones need no work. */
  fingerprint: string;
  deployed: Deployed;
}

/** A stack or nested stack on its way through a deployment. */
interface Frame {
  id: string;
  stackName: string;
  template: Template;
  parameters: Json;
}

/** What one deployment of a stack gathers. */
interface Run {
  assembly: Assembly;
  seen: Set<string>;
  exports: Map<string, unknown>;
  fresh: Deployed[];
  /** Construct paths by logical id. */
  paths: ReadonlyMap<string, string>;
}

export interface DeploymentOptions {
  providers: Record<string, ResourceProvider>;
  customResource: ResourceProvider;
  /** Turns an address that a template puts together (of an API on AWS) into the host's. */
  rewriteAddress: (text: string) => string;
}

/** Brings the host to what an assembly describes; again and again, doing only what changed. */
export class Deployment {
  outputs: Record<string, string> = {};
  private readonly options: DeploymentOptions;
  private readonly entries = new Map<string, Entry>();
  private stacks: Stack[] = [];

  constructor(options: DeploymentOptions) {
    this.options = options;
  }

  async apply(assembly: Assembly): Promise<void> {
    const seen = new Set<string>();
    const exports = new Map<string, unknown>();
    const fresh: Deployed[] = [];
    const outputs: Record<string, string> = {};
    for (const stack of assembly.stacks) {
      const paths = new Map([...stack.constructs].map(([path, logicalId]) => [logicalId, path]));
      const run: Run = { assembly, seen, exports, fresh, paths };
      const frame = { id: stack.name, stackName: stack.name, template: stack.template, parameters: {} };
      for (const [name, value] of Object.entries(await this.applyTemplate(frame, run))) outputs[name] = String(value);
    }
    for (const id of [...this.entries.keys()].reverse()) {
      if (seen.has(id)) continue;
      await this.entries.get(id)?.deployed.remove?.();
      this.entries.delete(id);
    }
    this.outputs = outputs;
    this.stacks = assembly.stacks;
    for (const deployed of fresh) deployed.activate?.();
  }

  /** Stops what runs for the deployment's sake and removes nothing. */
  async close(): Promise<void> {
    await Promise.all([...this.entries.values()].map(async (entry) => entry.deployed.stop?.()));
  }

  /** The `Ref` of a resource by its logical id, or by its construct path or a part of it. */
  physicalId(name: string): string | undefined {
    const entries = [...this.entries.values()];
    const exact = entries.find((entry) => entry.logicalId === name);
    if (exact !== undefined) return exact.deployed.ref;
    for (const matches of [hasSegments, (path: string) => path.includes(name)]) {
      for (const stack of this.stacks) {
        for (const [path, logicalId] of stack.constructs) {
          if (!matches(path, name)) continue;
          const found = entries.find((entry) => entry.logicalId === logicalId && isInStack(entry, stack));
          if (found !== undefined) return found.deployed.ref;
        }
      }
    }
    return undefined;
  }

  private async applyTemplate(frame: Frame, run: Run): Promise<Json> {
    const scope = this.scopeOf(frame, run.exports);
    for (const logicalId of inReferenceOrder(frame.template)) {
      const resource = frame.template.Resources?.[logicalId];
      if (resource === undefined) continue;
      if (resource.Condition !== undefined && !conditionHolds(resource.Condition, scope)) continue;
      const id = `${frame.id}/${logicalId}`;
      run.seen.add(id);
      const ignored = isIgnored(resource.Type);
      const properties = ignored ? {} : ((resolveValue(resource.Properties ?? {}, scope) ?? {}) as Json);
      const request: ResourceRequest = {
        id,
        logicalId,
        constructPath: run.paths.get(logicalId) ?? '',
        type: resource.Type,
        stackName: frame.stackName,
        stackId: scope.stackId,
        properties,
        previous: this.entries.get(id)?.deployed,
        assets: run.assembly.assets,
      };
      if (resource.Type === 'AWS::CloudFormation::Stack') {
        const outputs = await this.applyNested(request, resource.Metadata, run);
        const deployed = { ref: stackIdOf(id), attribute: (name: string) => outputs[name.replace(/^Outputs\./, '')] };
        this.entries.set(id, { logicalId, stackName: frame.stackName, fingerprint: '', deployed });
        continue;
      }
      const fingerprint = JSON.stringify([resource.Type, properties]);
      if (this.entries.get(id)?.fingerprint === fingerprint) continue;
      const deployed = ignored ? ignoredResource(request) : await this.providerOf(request)(request);
      this.entries.set(id, { logicalId, stackName: frame.stackName, fingerprint, deployed });
      run.fresh.push(deployed);
    }
    const outputs: Json = {};
    for (const [name, output] of Object.entries(frame.template.Outputs ?? {})) {
      if (output.Condition !== undefined && !conditionHolds(output.Condition, scope)) continue;
      outputs[name] = resolveValue(output.Value, scope);
      if (output.Export !== undefined) run.exports.set(String(resolveValue(output.Export.Name, scope)), outputs[name]);
    }
    return outputs;
  }

  private async applyNested(request: ResourceRequest, metadata: Json | undefined, run: Run): Promise<Json> {
    const key = String(request.properties['TemplateURL']).split('/').at(-1) ?? '';
    const stack = run.assembly.stacks.find(({ name }) => request.id.startsWith(`${name}/`));
    const path = run.assembly.assets.get(key)?.path ?? `${stack?.directory}/${String(metadata?.['aws:asset:path'])}`;
    return this.applyTemplate(
      {
        id: request.id,
        stackName: `${request.stackName}-${request.logicalId}`,
        template: await readTemplate(path),
        parameters: (request.properties['Parameters'] ?? {}) as Json,
      },
      run,
    );
  }

  private providerOf({ type, logicalId }: ResourceRequest): ResourceProvider {
    const provider = this.options.providers[type];
    if (provider !== undefined) return provider;
    if (type === 'AWS::CloudFormation::CustomResource' || type.startsWith('Custom::')) return this.options.customResource;
    const text = `The resource type ${type} (${logicalId}) is not supported by the embedded host.`;
    throw new HostError('UNSUPPORTED_RESOURCE', text);
  }

  private scopeOf(frame: Frame, exports: Map<string, unknown>): Scope {
    return {
      stackName: frame.stackName,
      stackId: stackIdOf(frame.id),
      template: frame.template,
      parameters: frame.parameters,
      exports,
      rewriteAddress: this.options.rewriteAddress,
      resource: (logicalId) => {
        const deployed = this.entries.get(`${frame.id}/${logicalId}`)?.deployed;
        return deployed === undefined ? undefined : { ref: deployed.ref, attribute: (name) => deployed.attribute(name) };
      },
    };
  }
}

function stackIdOf(id: string): string {
  return arnOf('cloudformation', `stack/${id.replaceAll('/', '-')}/${digest(id, 32)}`);
}

function hasSegments(path: string, name: string): boolean {
  return `/${path}/`.includes(`/${name}/`);
}

function isInStack(entry: Entry, stack: Stack): boolean {
  return entry.stackName === stack.name || entry.stackName.startsWith(`${stack.name}-`);
}
