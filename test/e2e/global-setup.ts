import { readFileSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import type { Deployment } from './deployment.ts';
import { startEmbedded } from './embedded.ts';

/** Finds or starts the platform that the suite runs on. @returns what ends it */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const file = process.env['SLUICE_E2E_TARGET'];
  if (file !== undefined) {
    project.provide('deployment', JSON.parse(readFileSync(file, 'utf8')) as Deployment);
    return async () => undefined;
  }
  const { deployment, close } = await startEmbedded();
  project.provide('deployment', deployment);
  return close;
}
