import type { TestProject } from 'vitest/node';
import { findTarget } from './outside.ts';

/** Finds or starts the platform that the suite runs on. @returns what ends it */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const { deployment, close } = await findTarget();
  project.provide('deployment', deployment);
  return close;
}
