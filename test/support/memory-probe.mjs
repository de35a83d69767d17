/**
 * Loaded by `--import` into a program that a test watches, with `--expose-gc` and a channel to it: answers each message
 * with the memory in use after a collection.
 */
process.on('message', () => {
  // The second collection takes what finalizers of the first released.
  setImmediate(() => {
    globalThis.gc();
    setImmediate(() => {
      globalThis.gc();
      process.send(process.memoryUsage());
    });
  });
});
process.channel.unref();
