import { StyleTransferError, WeightsError } from '../../errors';
import { createGenerator, type Generator } from '../../features/generator';
import { showText, showValue } from '../../options/show';
import type { Bytes } from '../../storage/byte-store';
import { readSafetensors } from '../../weights/safetensors';
import { generatorFormat } from './encode-generator';
import { networkFrom, predictorFrom } from './network-json';

/**
 * A generator from the bytes of a file.
 *
 * @param name name of the file, for messages
 * @throws WeightsError `MALFORMED_GENERATOR` if the bytes are no generator file, or one of another version of the
 *   format; `UNSUPPORTED_NETWORK` or `WRONG_WEIGHTS` if its steps and tensors do not fit together
 */
export function decodeGenerator(name: string, bytes: Bytes): Generator {
  const { tensors, metadata } = read(name, bytes);
  const refuse = (what: string, accepted: string) => malformed(name, `${what}; accepted: ${accepted}`);
  const [format, version] = [metadata.get('format'), metadata.get('formatVersion')];
  if (format !== generatorFormat)
    throw refuse(`its format is ${showValue(format)}`, `'${generatorFormat}', as saveGenerator writes it`);
  if (version !== '1') throw refuse(`its formatVersion is ${showValue(version)}`, "'1'");
  const json = (field: string): unknown => {
    try {
      return JSON.parse(metadata.get(field) ?? 'null');
    } catch {
      throw refuse(`its ${field} is not JSON`, 'JSON');
    }
  };
  const network = networkFrom(json('network'), refuse);
  const predictor = metadata.has('predictor') ? predictorFrom(json('predictor'), refuse) : undefined;
  const styles = json('styles') ?? [];
  if (!Array.isArray(styles) || !styles.every((style) => typeof style === 'string'))
    throw refuse(`its styles are ${showValue(styles)}`, 'a list of names');
  const training = json('training') ?? undefined;
  if (!(training === undefined || (typeof training === 'object' && !Array.isArray(training))))
    throw refuse(`its training is ${showValue(training)}`, 'a record');
  return createGenerator({
    name: metadata.get('name'),
    network,
    predictor,
    weights: tensors,
    styles,
    training: training as Readonly<Record<string, unknown>> | undefined,
    license: metadata.get('license'),
    origin: metadata.get('origin'),
  });
}

function read(name: string, bytes: Bytes): ReturnType<typeof readSafetensors> {
  try {
    return readSafetensors(bytes, showText(name));
  } catch (cause) {
    if (!(cause instanceof StyleTransferError)) throw cause;
    const accepted = 'a generator file';
    throw new WeightsError('MALFORMED_GENERATOR', cause.message, { option: 'generator', accepted, cause });
  }
}

function malformed(name: string, what: string): WeightsError {
  return new WeightsError(
    'MALFORMED_GENERATOR',
    `${showText(name)} is not a usable generator file: ${what}.`,
    {
      option: 'generator',
      value: name,
      accepted: 'a generator file',
    },
  );
}
