/** The modules of Node that the engine uses. */
interface NodeModules {
  readonly 'node:fs': typeof import('node:fs');
  readonly 'node:os': typeof import('node:os');
  readonly 'node:worker_threads': typeof import('node:worker_threads');
}

/** A built-in module if the platform is Node. Not by `import`, which bundlers for pages would follow. */
export function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | undefined {
  const runtime = (globalThis as { process?: Partial<NodeJS.Process> }).process;
  return runtime?.versions?.node ? (runtime.getBuiltinModule?.(name) as never) : undefined;
}
