import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import platform from '../../package.json' with { type: 'json' };
import { createApiDocument } from './document.ts';

/** Where the document is kept, so that it can be imported and its changes are seen. */
export const FILE = join(import.meta.dirname, '..', '..', 'packages', 'contracts', 'openapi.json');

/** What the file has to be, formatted as everything is. */
export async function documentText(): Promise<string> {
  return format(JSON.stringify(createApiDocument(platform.version)), { ...(await resolveConfig(FILE)), filepath: FILE });
}
