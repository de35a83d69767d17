import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = process.env.REDIS_SERVER ?? 'redis-server';

/** Whether this machine has redis-server; where it has not, tests of the queue are skipped and say so. */
export const hasRedis = spawnSync(program, ['--version']).status === 0;
if (!hasRedis) console.warn('skipped: tests of the queue (no redis-server; install it or set REDIS_SERVER)');

/** A Redis server on a free port of the loopback interface, with a folder of its own. */
export class RedisServer {
  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly flags: readonly string[],
    private server: ChildProcess,
  ) {}

  /** @param flags of redis-server: `['--appendonly', 'yes']` */
  static async start(flags: readonly string[] = []): Promise<RedisServer> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'redis-'));
    const server = new RedisServer(port, folder, flags, launch(port, folder, flags));
    await server.listening();
    return server;
  }

  /** `redis://127.0.0.1:port/prefix` */
  url(prefix = ''): string {
    return `redis://127.0.0.1:${this.port}/${prefix}`;
  }

  /** Ends the server without warning, as a power failure does. */
  async kill(): Promise<void> {
    const gone = new Promise((resolve) => this.server.once('exit', resolve));
    this.server.kill('SIGKILL');
    await gone;
  }

  /** Starts it again after {@link kill}, with what is in its folder. */
  async restart(): Promise<void> {
    this.server = launch(this.port, this.folder, this.flags);
    await this.listening();
  }

  async stop(): Promise<void> {
    if (this.server.exitCode === null && this.server.signalCode === null) await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async listening(): Promise<void> {
    for (;;) {
      const open = await new Promise<boolean>((resolve) => {
        const socket = connect(this.port, '127.0.0.1');
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
        socket.once('connect', () => socket.destroy());
      });
      if (open) return;
      if (this.server.exitCode !== null) throw new Error(`redis-server ended with ${this.server.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const launch = (port: number, folder: string, flags: readonly string[]) =>
  spawn(program, ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...flags], {
    stdio: 'ignore',
  });

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
