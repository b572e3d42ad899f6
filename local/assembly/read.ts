import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { HostError, messageOf } from '../errors.ts';
import { textOf, type Json, type Template } from './template.ts';

/** A file or folder that the templates refer to by its S3 key. */
export interface Asset {
  path: string;
  packaging: 'zip' | 'file';
}

export interface Stack {
  name: string;
  artifactId: string;
  /** The folder of the assembly that holds the stack's template and assets. */
  directory: string;
  template: Template;
  /** Construct path → logical id, nested stacks included. */
  constructs: Map<string, string>;
}

export interface Assembly {
  directory: string;
  /** Each stack after those it depends on. */
  stacks: Stack[];
  /** By S3 object key. */
  assets: Map<string, Asset>;
}

interface Artifact {
  type?: string;
  dependencies?: string[];
  properties?: Json;
  metadata?: Record<string, { type: string; data?: unknown }[]>;
  additionalMetadataFile?: string;
}

/**
 * Reads a cloud assembly: its stacks in dependency order, with nested assemblies (stages) and assets.
 * Format: https://github.com/aws/aws-cdk/tree/main/packages/aws-cdk-lib/cloud-assembly-schema
 */
export async function readAssembly(directory: string): Promise<Assembly> {
  const assembly: Assembly = { directory: resolve(directory), stacks: [], assets: new Map() };
  await readInto(assembly, assembly.directory);
  if (assembly.stacks.length === 0) {
    throw new HostError('INVALID_ASSEMBLY', `The assembly ${assembly.directory} holds no stack.`);
  }
  return assembly;
}

async function readInto(assembly: Assembly, directory: string): Promise<void> {
  const manifest = await readManifest(directory);
  const artifacts = manifest.artifacts ?? {};
  for (const artifact of Object.values(artifacts)) {
    if (artifact.type === 'cdk:asset-manifest') await readAssets(assembly, directory, artifact);
  }
  for (const id of inDependencyOrder(artifacts)) {
    const artifact = artifacts[id];
    if (artifact?.type === 'cdk:cloud-assembly') {
      await readInto(assembly, join(directory, String(artifact.properties?.['directoryName'])));
    } else if (artifact?.type === 'aws:cloudformation:stack') {
      assembly.stacks.push(await readStack(directory, id, artifact));
    }
  }
}

async function readManifest(directory: string): Promise<{ artifacts?: Record<string, Artifact> }> {
  try {
    return (await readJson(join(directory, 'manifest.json'))) as { artifacts?: Record<string, Artifact> };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new HostError('ASSEMBLY_NOT_FOUND', `No cloud assembly in ${directory}: synthesise it first (cdk synth).`);
    }
    throw new HostError('INVALID_ASSEMBLY', `Cannot read the assembly ${directory}: ${messageOf(error)}`);
  }
}

async function readStack(directory: string, id: string, artifact: Artifact): Promise<Stack> {
  const constructs = new Map<string, string>();
  const file = artifact.additionalMetadataFile;
  const metadata = {
    ...artifact.metadata,
    ...(file === undefined ? {} : ((await readJson(join(directory, file))) as NonNullable<Artifact['metadata']>)),
  };
  for (const [path, entries] of Object.entries(metadata)) {
    const logicalId = entries.find((entry) => entry.type === 'aws:cdk:logicalId')?.data;
    if (typeof logicalId === 'string') constructs.set(path.replace(/^\//, ''), logicalId);
  }
  return {
    name: textOf(artifact.properties?.['stackName'], id),
    artifactId: id,
    directory,
    template: await readTemplate(join(directory, String(artifact.properties?.['templateFile']))),
    constructs,
  };
}

/** Reads one template file, also of a nested stack. */
export async function readTemplate(path: string): Promise<Template> {
  try {
    return (await readJson(path)) as Template;
  } catch (error) {
    throw new HostError('INVALID_ASSEMBLY', `Cannot read the template ${path}: ${messageOf(error)}`);
  }
}

async function readAssets(assembly: Assembly, directory: string, artifact: Artifact): Promise<void> {
  const path = join(directory, String(artifact.properties?.['file']));
  const manifest = (await readJson(path)) as {
    files?: Record<string, { source?: { path?: string; packaging?: string }; destinations?: Record<string, { objectKey?: string }> }>;
  };
  for (const file of Object.values(manifest.files ?? {})) {
    if (file.source?.path === undefined) continue;
    const asset: Asset = {
      path: resolve(directory, file.source.path),
      packaging: file.source.packaging === 'zip' ? 'zip' : 'file',
    };
    for (const { objectKey } of Object.values(file.destinations ?? {})) {
      if (objectKey !== undefined) assembly.assets.set(basename(objectKey), asset);
    }
  }
}

function inDependencyOrder(artifacts: Record<string, Artifact>): string[] {
  const ordered: string[] = [];
  const seen = new Set<string>();
  const visit = (id: string): void => {
    if (seen.has(id) || artifacts[id] === undefined) return;
    seen.add(id);
    for (const dependency of artifacts[id].dependencies ?? []) visit(dependency);
    ordered.push(id);
  };
  for (const id of Object.keys(artifacts)) visit(id);
  return ordered;
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}
