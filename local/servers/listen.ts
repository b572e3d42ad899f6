import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

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
