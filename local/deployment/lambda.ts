import { randomUUID } from 'node:crypto';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { arnOf, digest, parseArn } from '../account.ts';
import { textOf, type Json } from '../assembly/template.ts';
import type { Clients } from '../clients.ts';
import type { FunctionConfiguration } from '../lambda/function.ts';
import { DEFAULT_EVENT_INVOKE_CONFIG, type LambdaService } from '../lambda/service.ts';
import type { LogSink } from '../log.ts';
import { EventSource } from '../sqs/event-source.ts';
import { attributes, physicalName, unsupported, type Deployed, type ResourceProvider, type ResourceRequest } from './provider.ts';

export interface LambdaProviderOptions {
  service: LambdaService;
  clients: Clients;
  log: LogSink;
  /** Where inline code is written, removed with the host. */
  scratchDirectory: string;
  /** Called with a function's name when a reload swapped its code. */
  onCodeChange: (functionName: string) => void;
}

/** Functions with their versions, aliases, asynchronous settings and event sources. */
export function lambdaProviders(options: LambdaProviderOptions): Record<string, ResourceProvider> {
  return {
    'AWS::Lambda::Function': functionProvider(options),
    'AWS::Lambda::Version': versionProvider(options.service),
    'AWS::Lambda::Alias': aliasProvider(options.service),
    'AWS::Lambda::EventInvokeConfig': eventInvokeConfigProvider(options.service),
    'AWS::Lambda::EventSourceMapping': eventSourceProvider(options),
  };
}

function functionProvider({ service, log, scratchDirectory, onCodeChange }: LambdaProviderOptions): ResourceProvider {
  const codeIds = new Map<string, string>();
  return (request) => {
    const { properties } = request;
    const name = physicalName(request, properties['FunctionName'], 64);
    const runtime = String(properties['Runtime'] ?? properties['PackageType']);
    if (!/^(nodejs|python3)/.test(runtime)) throw unsupported(request, `the runtime ${runtime}`);
    if (properties['Layers'] !== undefined) {
      log({ level: 'warn', source: 'deployment', functionName: name, message: 'Layers are not loaded on this host.' });
    }
    const code = codeOf(request, runtime, scratchDirectory);
    const configuration: FunctionConfiguration = {
      name,
      title: properties['FunctionName'] === undefined ? titleOf(request, name) : name,
      runtime,
      handler: String(properties['Handler']),
      memoryMb: Number(properties['MemorySize'] ?? 128),
      timeoutMs: Number(properties['Timeout'] ?? 3) * 1000,
      reservedConcurrency: numberOf(properties['ReservedConcurrentExecutions']),
      environment: stringsOf((properties['Environment'] as Json | undefined)?.['Variables'] as Json | undefined),
      codeDirectory: code.directory,
      codeId: code.id,
    };
    const fn = service.put(configuration);
    const before = codeIds.get(name);
    if (before !== undefined && before !== code.id) onCodeChange(name);
    codeIds.set(name, code.id);
    return {
      ref: name,
      attribute: attributes({ Arn: fn.arn }),
      remove: () => {
        codeIds.delete(name);
        return service.delete(name);
      },
    };
  };
}

function codeOf(request: ResourceRequest, runtime: string, scratchDirectory: string): { directory: string; id: string } {
  const code = (request.properties['Code'] ?? {}) as { ZipFile?: string; S3Key?: string };
  if (code.ZipFile !== undefined) {
    const id = digest(code.ZipFile, 32);
    const directory = join(scratchDirectory, `${request.logicalId}-${id}`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, runtime.startsWith('python') ? 'index.py' : 'index.js'), code.ZipFile);
    return { directory, id };
  }
  const key = basename(code.S3Key ?? '');
  const asset = request.assets.get(key);
  if (asset === undefined) throw unsupported(request, `code that is not an asset of the assembly (${key || 'no key'})`);
  if (!statSync(asset.path).isDirectory()) throw unsupported(request, `code in an archive (${asset.path}), not a folder,`);
  return { directory: asset.path, id: key };
}

function versionProvider(service: LambdaService): ResourceProvider {
  return (request) => {
    const target = functionOf(service, request);
    const version = service.publishVersion(target);
    const arn = `${arnOf('lambda', `function:${target}`)}:${version}`;
    return {
      ref: arn,
      attribute: attributes({ Version: version, FunctionArn: arn }),
      remove: () => service.deleteQualifier(target, version),
    };
  };
}

function aliasProvider(service: LambdaService): ResourceProvider {
  return (request) => {
    const target = functionOf(service, request);
    const alias = String(request.properties['Name']);
    service.putAlias(target, alias, String(request.properties['FunctionVersion']));
    const arn = `${arnOf('lambda', `function:${target}`)}:${alias}`;
    return {
      ref: arn,
      attribute: attributes({ AliasArn: arn }),
      remove: () => service.deleteQualifier(target, alias),
    };
  };
}

function eventInvokeConfigProvider(service: LambdaService): ResourceProvider {
  return (request) => {
    const { properties } = request;
    const target = functionOf(service, request);
    const qualifier = textOf(properties['Qualifier'], '$LATEST');
    const destinations = (properties['DestinationConfig'] ?? {}) as Record<string, { Destination?: string } | undefined>;
    service.putEventInvokeConfig(target, qualifier, {
      maximumRetryAttempts: numberOf(properties['MaximumRetryAttempts']) ?? DEFAULT_EVENT_INVOKE_CONFIG.maximumRetryAttempts,
      maximumEventAgeSeconds: numberOf(properties['MaximumEventAgeInSeconds']) ?? DEFAULT_EVENT_INVOKE_CONFIG.maximumEventAgeSeconds,
      onSuccess: destinations['OnSuccess']?.Destination,
      onFailure: destinations['OnFailure']?.Destination,
    });
    return {
      ref: `${target}|${qualifier}`,
      attribute: attributes({}),
      remove: () => service.putEventInvokeConfig(target, qualifier, undefined),
    };
  };
}

function eventSourceProvider({ service, clients, log }: LambdaProviderOptions): ResourceProvider {
  return async (request): Promise<Deployed> => {
    const { properties, previous } = request;
    await previous?.remove?.();
    const queueArn = String(properties['EventSourceArn']);
    const source = parseArn(queueArn);
    if (source?.service !== 'sqs') throw unsupported(request, `the event source ${queueArn}`);
    if (properties['FilterCriteria'] !== undefined) throw unsupported(request, 'FilterCriteria');
    const responseTypes = (properties['FunctionResponseTypes'] ?? []) as string[];
    const eventSource = new EventSource(
      {
        queueName: source.resource,
        queueArn,
        functionReference: String(properties['FunctionName']),
        batchSize: Number(properties['BatchSize'] ?? 10),
        batchingWindowSeconds: Number(properties['MaximumBatchingWindowInSeconds'] ?? 0),
        reportsBatchItemFailures: responseTypes.includes('ReportBatchItemFailures'),
        maximumConcurrency: numberOf((properties['ScalingConfig'] as Json | undefined)?.['MaximumConcurrency']),
      },
      clients.sqs,
      service,
      log,
    );
    const id = previous?.ref ?? randomUUID();
    return {
      ref: id,
      attribute: attributes({ Id: id, EventSourceMappingArn: arnOf('lambda', `event-source-mapping:${id}`) }),
      activate: () => {
        if (properties['Enabled'] !== false && properties['Enabled'] !== 'false') eventSource.start();
      },
      stop: () => eventSource.close(),
      remove: () => eventSource.close(),
    };
  };
}

/** A name for people of a function whose own is made up: its construct's path without what every path has. */
function titleOf({ constructPath }: ResourceRequest, name: string): string {
  const inStack = constructPath.split('/').slice(1).join('/');
  return inStack.replace(/(\/(Resource|Function|Handler))+$/, '') || name;
}

/** The name of the function that a resource belongs to, by whatever form of reference its template uses. */
function functionOf(service: LambdaService, request: ResourceRequest): string {
  const reference = String(request.properties['FunctionName']);
  const target = service.find(reference);
  if (target === undefined) throw unsupported(request, `the function ${reference}, which is not on this host,`);
  return target.fn.configuration.name;
}

function numberOf(value: unknown): number | undefined {
  return value === undefined ? undefined : Number(value);
}

function stringsOf(values: Json = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}
