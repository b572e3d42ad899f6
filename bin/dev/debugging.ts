import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from '@sluice/contracts';
import type { HostOptions } from '../../local/host.ts';
import type { DevOptions } from './options.ts';

/** What VS Code's "JavaScript Debug Terminal" sets, so that every Node.js process that is started in it is debugged. */
const TERMINAL_VARIABLES = ['NODE_OPTIONS', 'VSCODE_INSPECTOR_OPTIONS'];

/**
 * How a debugger gets into functions: by an inspector for `--inspect`, and by a debug terminal's own means when this
 * process runs in one. Undefined when neither is wanted.
 */
export function debugOptions(
  inspect: DevOptions['inspect'],
  env: Readonly<Record<string, string | undefined>>,
  isPlatform: (functionName: string) => boolean,
): HostOptions['debug'] {
  const terminal = env['VSCODE_INSPECTOR_OPTIONS'] !== undefined;
  if (inspect === undefined && !terminal) return undefined;
  const given = terminal ? TERMINAL_VARIABLES.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const])) : [];
  return {
    functions: (name) => inspect === 'platform' || !isPlatform(name),
    inspector: inspect !== undefined,
    environment: Object.fromEntries(given),
  };
}

/**
 * Gives the task types of an assembly the longest time there is, and the starter that allows it: a lease that ends
 * while its handler stands at a breakpoint would be another attempt, in another environment, at the same breakpoint.
 */
export function allowLongPauses(assembly: string): void {
  for (const file of readdirSync(assembly).filter((name) => name.endsWith('.template.json'))) {
    const path = join(assembly, file);
    const template = JSON.parse(readFileSync(path, 'utf8')) as { Resources?: Record<string, { Type: string; Properties?: unknown }> };
    const types = Object.values(template.Resources ?? {}).filter(({ Type }) => Type === 'Custom::SluiceTaskType');
    if (types.length === 0) continue;
    for (const type of types) type.Properties = withLongPauses(type.Properties);
    writeFileSync(path, JSON.stringify(template));
  }
}

/** The specification is JSON in pieces, between them what is known only when it is deployed. */
function withLongPauses(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.replace(/"timeoutSeconds":\d+/, `"timeoutSeconds":${LIMITS.timeoutSeconds}`).replace(/"start":"\w+"/, '"start":"event"');
  }
  if (Array.isArray(value)) return value.map(withLongPauses);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, withLongPauses(child)]));
}
