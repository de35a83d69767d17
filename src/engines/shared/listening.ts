/**
 * Runs `work` with listeners of a caller's, which may return promises: nothing that they throw or reject with goes
 * unheard or ends the program. The first error ends the work at its next event, or makes its end a failure.
 *
 * @param work gets `hear`, which makes of a listener one that returns nothing
 * @param undo frees the result of work that has succeeded where a listener has not
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
