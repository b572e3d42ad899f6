import type { Server } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { HostError } from '../errors.ts';

/** Listens on the loopback address only and resolves to the port; port 0 takes any free one. */
export function listenOnLoopback(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** As `listenOnLoopback`, but takes any free port when the preferred one is taken. */
export async function listenPreferably(server: Server, preferred: number | undefined): Promise<number> {
  try {
    return await listenOnLoopback(server, preferred ?? 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return listenOnLoopback(server, 0);
  }
}

export function portInUse(port: number): HostError {
  return new HostError('PORT_IN_USE', `Port ${port} is in use: end the process that has it, or choose another port.`);
}

/** Tries a port before any work is done for a host that could not have it. @throws HostError `PORT_IN_USE` */
export async function checkPort(port: number): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw portInUse(port);
    throw error;
  }
  await new Promise((resolve) => server.close(resolve));
}
