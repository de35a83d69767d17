/**
 * Runs `work` with the caller's listeners, which may return promises; errors that they throw or reject with are neither
 * lost nor left unhandled. The first error ends the work at its next event, or makes its end a failure.
 *
 * @param work receives `hear`, which wraps a listener as one that returns nothing
 * @param undo frees the result of the work if a listener has failed
 */
export async function listening<T>(
  work: (
    hear: <E>(listener: ((event: E) => unknown) | undefined) => ((event: E) => void) | undefined,
  ) => Promise<T>,
  undo: (result: T) => void,
): Promise<T> {
  const answers: Promise<void>[] = [];
  let failure: { readonly error: unknown } | undefined;
  const result = await work(
    (listener) =>
      listener &&
      ((event) => {
        if (failure) throw failure.error;
        const answer = async () => {
          try {
            await listener(event);
          } catch (error) {
            failure ??= { error };
          }
        };
        answers.push(answer());
      }),
  );
  await Promise.all(answers);
  // TypeScript does not see the assignment in the closure.
  const heard = failure as { readonly error: unknown } | undefined;
  if (!heard) return result;
  undo(result);
  throw heard.error;
}
