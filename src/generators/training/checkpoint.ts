import { InvalidArgumentError, StyleTransferError, WeightsError } from '../../errors';
import { showText, showValue } from '../../options/show';
import type { Bytes } from '../../storage/byte-store';
import { readSafetensors } from '../../weights/safetensors';
import { safetensorsBytes } from '../../weights/safetensors-writer';
import type { AdamMoments } from './adam-update';

/** Where a training keeps its state, so that it goes on after the program was killed. */
export interface CheckpointStore {
  /** Name for messages, such as a path. */
  readonly name: string;
  /** The bytes that were written last; undefined if there are none. */
  read(): Promise<Bytes | undefined>;
  /** Replaces the bytes at once: after a crash, those before or the new ones are there. */
  write(bytes: Bytes): Promise<void>;
}

/** What a training depends on: a checkpoint is of another training if one of these differs. */
export type TrainingIdentity = Readonly<Record<string, string | number>>;

/** All that a training's next steps depend on, beside its options. */
export interface TrainingState {
  /** Steps done. */
  step: number;
  readonly parameters: Float32Array<ArrayBuffer>;
  readonly moments: AdamMoments;
  /** Running mean of the gradients' norms; undefined before the first step. */
  averageNorm: number | undefined;
  /** Running mean of the losses, for reports. */
  meanLoss: number | undefined;
}

const format = 'tfjs-style-transfer training';

/** Another one where a training of the same options goes otherwise than before: drawn pictures, losses, rates. */
const formatVersion = '2';

/** A state as the bytes of a `.safetensors` file. Numbers keep every bit. */
export function encodeCheckpoint(identity: TrainingIdentity, state: TrainingState): Bytes {
  const { step, parameters, moments, averageNorm, meanLoss } = state;
  const vector = (values: Float32Array) => ({ shape: [values.length], values });
  return safetensorsBytes(
    new Map([
      ['parameters', vector(parameters)],
      ['mean', vector(moments.mean)],
      ['square', vector(moments.square)],
    ]),
    {
      format,
      formatVersion,
      identity: JSON.stringify(identity),
      step: JSON.stringify({ step, averageNorm, meanLoss }),
    },
  );
}

/**
 * The state of a training from a checkpoint.
 *
 * @throws WeightsError `MALFORMED_CHECKPOINT` if the bytes are no checkpoint; InvalidArgumentError `WRONG_CHECKPOINT`
 *   if they are one of another training, with the options that differ
 */
export function decodeCheckpoint(name: string, bytes: Bytes, identity: TrainingIdentity): TrainingState {
  const { tensors, metadata } = read(name, bytes);
  if (metadata.get('format') !== format)
    throw malformed(name, `its format is ${showValue(metadata.get('format'))}`);
  const version = metadata.get('formatVersion');
  if (version !== formatVersion)
    throw malformed(
      name,
      `it is of version ${showText(`${version}`)} of trainings, and this is ${formatVersion}`,
    );
  requireSame(name, parsed(name, metadata.get('identity')) as TrainingIdentity, identity);
  const { step, averageNorm, meanLoss } = parsed(name, metadata.get('step')) as Partial<TrainingState>;
  const length = tensors.get('parameters')?.values.length;
  const vector = (tensor: string): Float32Array<ArrayBuffer> => {
    const values = tensors.get(tensor)?.values;
    if (values === undefined || values.length !== length)
      throw malformed(name, `its tensor ${tensor} is missing or of another length`);
    return values.slice();
  };
  if (!Number.isSafeInteger(step)) throw malformed(name, `its step is ${showValue(step)}`);
  return {
    step: step as number,
    parameters: vector('parameters'),
    moments: { mean: vector('mean'), square: vector('square') },
    averageNorm,
    meanLoss,
  };
}

function requireSame(name: string, found: TrainingIdentity, wanted: TrainingIdentity): void {
  const differ = [...new Set([...Object.keys(found), ...Object.keys(wanted)])].filter(
    (key) => found[key] !== wanted[key],
  );
  if (differ.length === 0) return;
  const [first] = differ;
  const values = `${first} is ${showValue(wanted[first])} here and ${showValue(found[first])} there`;
  const more = differ.length > 1 ? `; also different: ${differ.slice(1).join(', ')}` : '';
  const accepted = 'a checkpoint of the same training, or another file';
  throw new InvalidArgumentError(
    'WRONG_CHECKPOINT',
    `${showText(name)} is the checkpoint of another training: ${values}${more}; accepted: ${accepted}.`,
    { option: 'checkpoint', value: name, accepted },
  );
}

function read(name: string, bytes: Bytes): ReturnType<typeof readSafetensors> {
  try {
    return readSafetensors(bytes, showText(name));
  } catch (cause) {
    if (!(cause instanceof StyleTransferError)) throw cause;
    throw malformed(name, cause.message, cause);
  }
}

function parsed(name: string, text: string | undefined): unknown {
  try {
    return Object(JSON.parse(text ?? ''));
  } catch (cause) {
    throw malformed(name, 'its metadata is not JSON', cause);
  }
}

function malformed(name: string, what: string, cause?: unknown): WeightsError {
  const accepted = 'a file that trainGenerator wrote, or one that does not exist';
  return new WeightsError(
    'MALFORMED_CHECKPOINT',
    `${showText(name)} is not a usable checkpoint: ${what}; accepted: ${accepted}.`,
    { option: 'checkpoint', value: name, accepted, cause },
  );
}
