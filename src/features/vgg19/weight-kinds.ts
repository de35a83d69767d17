import { InvalidArgumentError } from '../../errors';
import { showUrl } from '../../options/show';

const torchToSafetensors =
  'python -c "import torch; from safetensors.torch import save_file; save_file({k: v.contiguous() for k, v in ' +
  "torch.load('vgg19.pth', map_location='cpu', weights_only=True).items()}, 'vgg19.safetensors')\"";
const numpyToSafetensors =
  'python -c "import numpy; from safetensors.numpy import save_file; ' +
  "save_file({k: numpy.ascontiguousarray(v) for k, v in numpy.load('vgg19.npz').items()}, 'vgg19.safetensors')\"";
const kerasToTfjs = 'tensorflowjs_converter --input_format keras vgg19.h5 vgg19-folder';

/** Conversions of other kinds of weight files to accepted ones, by file extension. */
const conversions: Readonly<Record<string, string>> = {
  pth: torchToSafetensors,
  pt: torchToSafetensors,
  ckpt: torchToSafetensors,
  npz: numpyToSafetensors,
  h5: kerasToTfjs,
  hdf5: kerasToTfjs,
  keras: kerasToTfjs,
  onnx: 'save the tensors from the program that made the file as .safetensors',
  pb: 'tensorflowjs_converter',
  bin: `name the model.json that the file belongs to; if PyTorch wrote it: ${torchToSafetensors}`,
};

const accepted =
  "a folder with model.json (a TensorFlow.js layers model), its model.json, or a .safetensors file with torchvision's names";

/**
 * Throws if the extension of a path or URL is that of a kind of file that is not accepted; the message says how to
 * convert it.
 * @throws InvalidArgumentError `UNSUPPORTED_WEIGHTS`
 */
export function requireWeightKind(location: string | URL): void {
  const path = String(location).replace(/[?#].*$/s, '');
  const extension = path.match(/\.([a-z0-9]{1,8})$/i)?.[1].toLowerCase() ?? '';
  if (Object.hasOwn(conversions, extension))
    throw unsupportedKind(location, `a .${extension} file`, extension);
}

/** The error for a file of another kind. @param kind the kind of file, for the message */
export function unsupportedKind(location: string | URL, kind: string, extension = ''): InvalidArgumentError {
  const how = Object.hasOwn(conversions, extension) ? ` To convert: ${conversions[extension]}` : '';
  const message = `weights is ${kind}, '${showUrl(location)}'; accepted: ${accepted}.${how}`;
  return new InvalidArgumentError('UNSUPPORTED_WEIGHTS', message, { option: 'weights', accepted });
}
