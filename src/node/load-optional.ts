import { EnvironmentError } from '../errors';
import { showText } from '../options/show';

/**
 * Loads optional packages.
 *
 * @param doing what needs them, for the error: `'Queues'`
 * @param packages all that have to be installed for it
 * @throws EnvironmentError `NO_PACKAGE` if one is not installed or does not load
 */
export async function loadOptional<T>(
  load: () => Promise<T>,
  doing: string,
  packages: readonly string[],
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const several = packages.length > 1;
    const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
    const why = missing
      ? `${several ? 'are' : 'is'} not installed`
      : `${several ? 'do' : 'does'} not load here (${showText(message.split('\n', 1)[0], 160)})`;
    const names = packages.join(' ');
    throw new EnvironmentError(
      'NO_PACKAGE',
      `${doing} needs the package${several ? 's' : ''} ${packages.join(' and ')}, which ${why}: npm install ${names}`,
      { accepted: names, cause },
    );
  }
}
