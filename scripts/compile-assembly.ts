import asc from 'assemblyscript/asc';

/**
 * Compiles AssemblyScript to a wasm module without a runtime, over an imported memory that threads can share (which
 * needs a maximum; the loader chooses whether they do).
 *
 * @param entry path of the source that exports what the module exports
 * @param relaxed whether multiplyAdd is the relaxed instruction, which rounds once or twice as the processor likes
 */
export async function compileAssembly(entry: string, relaxed = false): Promise<Uint8Array<ArrayBuffer>> {
  const features = `simd,bulk-memory${relaxed ? ',relaxed-simd' : ''}`;
  const options = ['--enable', features, '-O3', '--runtime', 'stub', '--noAssert'];
  const memory = ['--importMemory', '--maximumMemory', '65536'];
  // Warning 112 is about exports with i32 that JavaScript sees as signed.
  const quiet = ['--disableWarning', '112'];
  const written: Uint8Array<ArrayBuffer>[] = [];
  const { error, stderr } = await asc.main(
    [entry, ...options, ...memory, ...quiet, '--outFile', 'module.wasm'],
    {
      writeFile: (_name, contents) => {
        if (contents instanceof Uint8Array) written.push(new Uint8Array(contents));
      },
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return written[0];
}
