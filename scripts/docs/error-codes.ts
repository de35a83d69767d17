import type { ErrorCode, WarningCode } from '../../src/error-codes';

/** The class of an error, by name. */
type ErrorClass =
  | 'InvalidArgumentError'
  | 'ImageError'
  | 'WeightsError'
  | 'EnvironmentError'
  | 'ComputationError';

/** The entry of a code in docs/errors.md. */
export interface CodeEntry {
  readonly cause: string;
  readonly cure: string;
}

/** The entry of an error's code in docs/errors.md. */
export interface ErrorEntry extends CodeEntry {
  /** Every class that the code comes with. */
  readonly classes: readonly ErrorClass[];
}

const argument = ['InvalidArgumentError'] as const;
const image = ['ImageError'] as const;
const weights = ['WeightsError'] as const;
const environment = ['EnvironmentError'] as const;
const computation = ['ComputationError'] as const;

/**
 * Cause and cure of every error, from which `npm run docs:errors` writes docs/errors.md. A new code needs an entry
 * here.
 */
export const errorCodes: Readonly<Record<ErrorCode, ErrorEntry>> = {
  BACKEND_IN_USE: {
    classes: environment,
    cause:
      'The wasm backend runs with another number of threads and holds tensors that a restart would lose.',
    cure: 'Call `useWasm()` before tensors are made, or dispose them first.',
  },
  CACHE_CORRUPT: {
    classes: weights,
    cause:
      'The command `weights verify` found files that do not match their SHA-256. They have been removed.',
    cure: 'Fetch them again: `tfjs-style-transfer weights fetch`.',
  },
  CELLS_FAILED: {
    classes: computation,
    cause:
      'Pictures of a sweep could not be painted. The contact sheet and the page show the reason of each.',
    cure: 'Remove the reasons and start the same command again, which paints only what is missing.',
  },
  CONFLICTING_OPTIONS: {
    classes: argument,
    cause:
      'Two options are given of which one would have no effect, as `preset` beside `loss`, or a value is given twice.',
    cure: 'Leave one of the two out; the message names both.',
  },
  CROSS_ORIGIN: {
    classes: image,
    cause: 'A page draws an image of another origin whose server does not allow its pixels to be read.',
    cure: 'Load it with `crossOrigin` set and have the server send CORS headers, or serve it from the same origin.',
  },
  DAMAGED: {
    classes: image,
    cause: 'An image file is damaged or cut short.',
    cure: 'Get the file again, or open and save it with an image editor.',
  },
  DEVICE_LOST: {
    classes: computation,
    cause:
      'The WebGL context or WebGPU device that computes was lost: the system, another program or too little memory of the GPU has ended it.',
    cure: 'The last progress event has the best image so far. Load the page again, choose a smaller `size`, or go on by `await useWasm()`.',
  },
  DIFFERENT_SIZES: {
    classes: image,
    cause: 'A metric, `opticalFlow` or a film got images of different sizes.',
    cure: 'Resize one, or use `evaluate`, which does.',
  },
  DISPOSED: {
    classes: ['ComputationError', 'ImageError'],
    cause: 'Something is used after its `dispose()`, or disposed in the middle of a run.',
    cure: 'Dispose it later, or load or make another one.',
  },
  DOWNLOAD_FAILED: {
    classes: weights,
    cause:
      'A server does not answer, stops answering, refuses, or answers with something other than was asked for.',
    cure: 'Check address and connection and try again; what has arrived is kept. Other addresses can be given as mirrors.',
  },
  EMPTY: {
    classes: ['InvalidArgumentError', 'ImageError'],
    cause: 'A list that needs an element has none, or an image or file has no pixels or bytes.',
    cure: 'Give at least one; look whether the picture of an image element was found, and wait for a video to load.',
  },
  ENGINE_UNSUPPORTED: {
    classes: environment,
    cause: 'The engine that was chosen does not run here.',
    cure: "Use `engine: 'auto'`, or what the message names.",
  },
  FFMPEG_FAILED: {
    classes: environment,
    cause:
      'ffmpeg cannot write the film, as builds without the encoder of the format cannot. The message has its words.',
    cure: 'Name an output of another format, or install a build of ffmpeg with libx264 (.mp4, .mov, .mkv) or libvpx (.webm).',
  },
  FILE_CHANGED: {
    classes: ['ImageError', 'WeightsError'],
    cause:
      'A file of weights was replaced, on its server or on disk, while it was read, three times in a row; parts of two versions are not mixed. Or a picture of a job is another file than when the job was submitted, or than on the machine that submitted it.',
    cure: 'Read it again when the replacement is complete; submit the batch again; mount the same folder on all machines.',
  },
  FILE_NOT_FOUND: {
    classes: ['ImageError', 'WeightsError', 'InvalidArgumentError'],
    cause: 'There is no file of that name.',
    cure: 'Check path and working directory.',
  },
  GPU_FAILED: {
    classes: computation,
    cause:
      'WebGPU has refused a command of the engine webgpu, and would go on with numbers that nothing computed, or the driver has not compiled a kernel, which the message names: a fault of this library, the browser or the driver.',
    cure: "`engine: 'wasm'` after `await useWasm()`, or `engine: 'tfjs'`; please report the message with the browser and the GPU.",
  },
  INVALID_ARGUMENT: {
    classes: argument,
    cause: 'An argument of `minimize` is not what it takes.',
    cure: 'The message says what is accepted.',
  },
  IN_USE: {
    classes: environment,
    cause: 'Another batch, of the process that the message names, writes to the same folder.',
    cure: 'Wait for its end, or name another folder. If the process ran on another machine and is gone, remove the lock that the message names.',
  },
  LEAK: {
    classes: computation,
    cause: '`expectNoLeak` counted more or fewer tensors afterwards than the function returned.',
    cure: 'Dispose what the function makes and does not return, and nothing that was handed in.',
  },
  LOW_PRECISION: {
    classes: environment,
    cause: 'The webgl backend of this device computes with 16-bit floats, whose range a run leaves.',
    cure: 'Use another backend: `await useWasm()`, or webgpu.',
  },
  MALFORMED_CHECKPOINT: {
    classes: weights,
    cause: 'The file of `checkpoint` is no checkpoint of a training, or is damaged.',
    cure: 'Name another file, or remove this one; the training then starts from its beginning.',
  },
  MALFORMED_GENERATOR: {
    classes: weights,
    cause:
      'A generator file is no such file, is cut short, or is of a version of the format that is not known.',
    cure: 'Write it again: `saveGenerator`, or `tfjs-style-transfer train`.',
  },
  MALFORMED_MANIFEST: {
    classes: argument,
    cause: 'A line of the `manifest.jsonl` in the folder of a batch is no record of a picture.',
    cure: 'Remove the line that the message names; its picture is painted again.',
  },
  MALFORMED_SETTINGS: {
    classes: argument,
    cause: 'A settings record has a field that is missing, unknown or not accepted, or is none.',
    cure: 'Pass `result.settings` as it was, or read it from the picture again with `readSettingsRecord`.',
  },
  MALFORMED_STYLE: {
    classes: image,
    cause: 'A style file is no such file, is cut short, or is of a version of the format that is not known.',
    cure: 'Make it again from its images: `saveStyle`, or `tfjs-style-transfer style make`.',
  },
  MALFORMED_WEIGHTS: {
    classes: weights,
    cause: 'A weight file does not follow its format.',
    cure: 'Get the file again, or convert the original once more.',
  },
  MISSING: {
    classes: argument,
    cause: 'A value is missing that has no default: an image to compare with, or the weight of a layer.',
    cure: 'Give it; the message names it.',
  },
  MISSING_ARGUMENT: {
    classes: argument,
    cause: 'A command lacks an argument, or a function an option without which it cannot know what is meant.',
    cure: 'Give it, or read `--help`.',
  },
  MISSING_LAYER: {
    classes: ['InvalidArgumentError', 'WeightsError'],
    cause:
      'A loss or preset reads a layer that the network or the weights do not have, as `relu5_1` of a network that ends at `conv3_1`.',
    cure: 'Load the network with a deeper `lastLayer`, use weights that have the layer, or choose another layer.',
  },
  MODULE_FAILED: {
    classes: argument,
    cause:
      'The module that `loss` or `extractor` of a worker names cannot be loaded, or its default export is no function.',
    cure: 'Serve the module with a JavaScript type and, from another origin, with CORS headers; export a function as default. It cannot import by bare names, because workers have no import map.',
  },
  NOT_AN_IMAGE: {
    classes: ['ImageError', 'InvalidArgumentError'],
    cause: 'An input is nothing that can be read as an image, or a tensor of another shape or type.',
    cure: 'Give what the message lists; a tensor has shape [height, width, 3] and type float32.',
  },
  NOT_A_FILE: {
    classes: ['ImageError', 'WeightsError'],
    cause: 'A path names a folder, a device or a socket where a file is needed.',
    cure: 'Name a file.',
  },
  NOT_A_FILM: {
    classes: ['ImageError'],
    cause: 'ffmpeg cannot read a file as a film, or finds no picture in it. The message has its words.',
    cure: 'Name a film that `ffmpeg -i FILE` reads.',
  },
  NOT_A_LOSS: {
    classes: argument,
    cause: 'A value is no loss, or a function that makes losses returned something else.',
    cure: 'A loss has `name`, `layers` and `compute(features)`.',
  },
  NOT_CACHED: {
    classes: weights,
    cause: 'A file is not in the cache of weights, and nothing was to be fetched.',
    cure: 'Fetch it first: `tfjs-style-transfer weights fetch`.',
  },
  NOT_FINITE: {
    classes: ['ImageError', 'WeightsError', 'ComputationError'],
    cause: 'An image or weights hold NaN or infinity, or a loss or its gradient is not finite at the start.',
    cure: 'Check the numbers that go in; for a custom loss use `checkGradient`.',
  },
  NOT_REPLAYABLE: {
    classes: ['InvalidArgumentError', 'WeightsError'],
    cause:
      'A run cannot be repeated from its settings: an option was an object or a function, which no record holds, or the weights found by default are others.',
    cure: 'Give that option beside `settings`; for weights, those whose SHA-256 the message names, or others on purpose.',
  },
  NOT_TILEABLE: {
    classes: environment,
    cause:
      'An image is too large to be computed as a whole, and its loss is a function of whole feature maps, which tiles do not have: a custom loss, `mrfLoss` or a statistic of style other than Gram matrices, of layers other than `image`.',
    cure: 'Choose a smaller `size` or more `memory`, write losses of `image` alone, or leave that part out.',
  },
  NOT_WRITABLE: {
    classes: ['ImageError', 'InvalidArgumentError', 'EnvironmentError'],
    cause:
      'A file cannot be written: no folder, no permission, a full disk, or a terminal in place of a file.',
    cure: 'Name another file, or free space; the message says which.',
  },
  NO_BACKEND: {
    classes: environment,
    cause: 'tfjs has no backend, or the one that was asked for is not installed or does not start.',
    cure:
      '`await useWasm()`, in a page as in Node, or import another backend and make it active, as with ' +
      "`await tf.setBackend('webgl')`. `styleTransfer` and `loadVgg19` of `tfjs-style-transfer/node` start wasm themselves.",
  },
  NO_CANVAS: {
    classes: environment,
    cause: 'A page gives no 2d canvas to read pixels with.',
    cure: 'Hand in an `ImageData` or a tensor.',
  },
  NO_DECODER: {
    classes: environment,
    cause:
      'Nothing here can decode this kind of image; an SVG needs a process of its own, which may be forbidden.',
    cure: 'Decode it before, or in Node use `tfjs-style-transfer/node`; convert an SVG to PNG.',
  },
  NO_EXTRACTOR: {
    classes: argument,
    cause: 'A metric of features got no extractor.',
    cure: 'Load one: `await loadVgg19()`.',
  },
  NO_FFMPEG: {
    classes: environment,
    cause:
      'Films are read and written by the program ffmpeg, which is neither on the PATH nor at FFMPEG_PATH.',
    cure: '`apt install ffmpeg`, `brew install ffmpeg` or `winget install ffmpeg`, or set FFMPEG_PATH to the program.',
  },
  NO_INDEXED_DB: {
    classes: environment,
    cause:
      '`browserCheckpoint` keeps checkpoints in IndexedDB, which Node and some private windows do not have.',
    cure: 'Call it in a page or a worker. In Node, name a file as `checkpoint`.',
  },
  NO_LAYER: {
    classes: argument,
    cause: 'A metric of features got no layer.',
    cure: 'Name at least one of the layers in the message.',
  },
  NO_PACKAGE: {
    classes: environment,
    cause:
      'Queues and `s3:` URLs need packages that are optional, and one is not installed or does not load.',
    cure: 'The message has the line that installs them: `npm install bullmq ioredis`, `npm install @aws-sdk/client-s3`.',
  },
  NO_RELAXED_SIMD: {
    classes: environment,
    cause: 'WebAssembly has no relaxed SIMD here.',
    cure: 'Leave `relaxedSimd` out, or use Node 22 or a browser that has it.',
  },
  NO_SETTINGS: {
    classes: image,
    cause: 'A picture or a JSON file holds no settings record.',
    cure: 'Use a file that the command or `writeImage(..., { settings })` wrote; programs that edit pictures often drop it.',
  },
  NO_SHARP: {
    classes: environment,
    cause: 'Image files are read and written by the package sharp, which is not installed or does not load.',
    cure: '`npm install sharp`.',
  },
  NO_SIMD: {
    classes: environment,
    cause: "`engine: 'wasm'` was chosen where WebAssembly has no SIMD.",
    cure: "Use `engine: 'auto'` or `'tfjs'`.",
  },
  NO_WASM: {
    classes: environment,
    cause: "WebAssembly may not be compiled here, as by a page's content security policy.",
    cure: "Allow `'wasm-unsafe-eval'`, or use `engine: 'tfjs'` on a backend other than wasm.",
  },
  OUT_OF_MEMORY: {
    classes: environment,
    cause: 'A run of this size, or a tensor, does not fit into the memory that is left.',
    cure: 'Choose a smaller `size`, fewer layers, or dispose what is not needed; the message has an estimate of what fits.',
  },
  OUT_OF_RANGE: {
    classes: ['InvalidArgumentError', 'ImageError'],
    cause: 'A number is not in the range of its option, or an image holds values that are not in [0,1].',
    cure: 'The message names the range. Divide values of 0 to 255 by 255.',
  },
  PICTURES_FAILED: {
    classes: computation,
    cause:
      'Pictures of a batch could not be painted. The table, and the manifest in the folder, have the reason of each.',
    cure: 'Remove the reasons and start the same command again, which paints only what is missing.',
  },
  QUEUE_UNAVAILABLE: {
    classes: environment,
    cause: 'The Redis server of `--queue` does not answer, refuses the password, or is none.',
    cure: 'Start it, or mend the URL: `redis://user:password@host:6379/prefix`; `redis-cli -u URL ping` must answer PONG.',
  },
  READ_FAILED: {
    classes: ['ImageError', 'WeightsError'],
    cause: 'A file or address is there but cannot be read.',
    cure: 'Check permissions, or the answer of the server in the message.',
  },
  STORE_REFUSED: {
    classes: image,
    cause: 'A server refuses to give or to take a file: no permission, no such bucket, a wrong URL.',
    cure: 'Mend the URL or the credentials. A queue does not repeat such a job by itself.',
  },
  STORE_UNAVAILABLE: {
    classes: image,
    cause: 'A server of files does not answer, or answers that it cannot at present.',
    cure: 'Try again later. A queue repeats such a job by itself, with growing pauses.',
  },
  THREADS_UNAVAILABLE: {
    classes: environment,
    cause:
      'The number of `threads` that was asked for does not start: memory that threads cannot share (a page without COOP and COEP), a policy ' +
      '(`worker-src`) or permission that forbids workers, an engine without threads, or too little memory.',
    cure: 'Leave `threads` out, which takes as many as start, or set `threads: 1`; [Troubleshooting](guides/troubleshooting.md#threads).',
  },
  TOO_FLAT: {
    classes: image,
    cause:
      'A style is nearly of one colour, or no crop of the pictures to train on has contrast: nothing can be learned.',
    cure: 'Use a picture with strokes or shapes, or photographs with more in them.',
  },
  TOO_LARGE: {
    classes: ['ImageError', 'WeightsError', 'EnvironmentError'],
    cause: 'An image or file has more pixels or bytes than are read, or decoding takes too long.',
    cure: 'Make it smaller; the message names the limit.',
  },
  TOO_SMALL: {
    classes: ['ImageError', 'InvalidArgumentError'],
    cause:
      'An image or a feature map has too few pixels for the layers, scales, patches or statistics that look at it.',
    cure: 'Use a larger image, earlier layers or fewer scales.',
  },
  TRUNCATED: {
    classes: weights,
    cause: 'A weight file ends early.',
    cure: 'Get the file again.',
  },
  UNKNOWN_FORMAT: {
    classes: argument,
    cause: 'The extension of an output names no format.',
    cure: 'Use one that the message lists, or the option `format`.',
  },
  UNKNOWN_NAME: {
    classes: argument,
    cause: 'A name is none of those that an option accepts.',
    cure: 'The message names the nearest and lists all.',
  },
  UNKNOWN_OPTION: {
    classes: argument,
    cause: 'A function has no option of that name.',
    cure: 'The message names the nearest and lists all.',
  },
  UNKNOWN_WEIGHTS: {
    classes: argument,
    cause: 'The option `weights` is nothing that weights can be read from.',
    cure: 'Give one of the kinds in the message.',
  },
  UNSAFE_PATH: {
    classes: weights,
    cause: 'A model.json names files outside of its own folder, or a cache key is a path.',
    cure: 'Do not use files that do that unless you know why they do.',
  },
  UNSUPPORTED_DTYPE: {
    classes: weights,
    cause: 'Weights are stored as a type of numbers that is not read.',
    cure: 'Store them as one that the message lists: `tfjs-style-transfer weights convert`.',
  },
  UNSUPPORTED_FORMAT: {
    classes: image,
    cause:
      'An image file is in a format, or of numbers or channels, that are not read: HEIC, floating point TIFF.',
    cure: 'Save it as 8 or 16 bit PNG, TIFF, JPEG or WebP; the message says what is wrong.',
  },
  UNSUPPORTED_NETWORK: {
    classes: weights,
    cause:
      'The wasm engine does not compute a network of these steps, the steps of a generator do not fit together, or a file of another program has an operation that generators lack. The message names it.',
    cure: "For a feature network use `engine: 'tfjs'`, which takes any order of steps; for another program's generator, `fromModel`.",
  },
  UNSUPPORTED_SETTINGS: {
    classes: argument,
    cause:
      'A settings record has another version of the format than this library reads. The message names both.',
    cure: 'Repeat the run with the version of the library that wrote the record; the message names it.',
  },
  UNSUPPORTED_WEIGHTS: {
    classes: argument,
    cause: '`weights` is a file of a kind that is not read, such as .pth, .npz, .h5 or .onnx.',
    cure: 'Convert it; the message says how, [Weights](weights.md#from-other-files) says more.',
  },
  WORKER_LOST: {
    classes: computation,
    cause:
      'A thread of the wasm engine ended or did not answer, or the worker of a run ended. The result is void.',
    cure: 'Load the network again, with fewer threads if it happens again; make another worker.',
  },
  WORKER_UNAVAILABLE: {
    classes: environment,
    cause:
      'The Web Worker of `tfjs-style-transfer/worker` does not start: a content security policy without `worker-src blob:`, a script that is not found or fails, no answer within `startLimit`.',
    cure: 'Allow `blob:` in `worker-src`, or serve `dist/style-worker.js` of this package and name it by the option `worker` of `createStyleWorker`.',
  },
  WORK_DIFFERS: {
    classes: argument,
    cause:
      'The work folder of a film holds frames of another film, or painted with other options, styles or weights, or it holds other files. They are not mixed, and not removed unasked.',
    cure: 'Repeat the options, name another folder by `work`, or remove the folder.',
  },
  WRONG_CHECKPOINT: {
    classes: argument,
    cause:
      'The checkpoint was written by a training with other options; the message names those that differ.',
    cure: 'Repeat the options of that training to go on with it, or name another file. `train --restart` begins anew.',
  },
  WRONG_GRADIENT: {
    classes: computation,
    cause: '`checkGradient` found a gradient that differs from central differences.',
    cure: 'Correct the gradient, or use operations of tfjs whose gradient is right.',
  },
  WRONG_HASH: {
    classes: weights,
    cause: 'A download is not the expected file. Nothing of it is kept.',
    cure: 'Check the address or mirror; something between may replace files.',
  },
  WRONG_LENGTH: {
    classes: argument,
    cause: 'A list has not as many elements as what it belongs to.',
    cure: 'The message says how many.',
  },
  WRONG_NETWORK: {
    classes: ['WeightsError', 'InvalidArgumentError'],
    cause:
      "The names or shapes in the file are those of another network, such as VGG-16, whose first layers look like VGG-19's; or `architecture` is not that of the generator that training starts from.",
    cure: "Give weights of VGG-19 without batch normalisation; leave `architecture` out, or start with `base: 'none'`.",
  },
  WRONG_SHAPE: {
    classes: ['InvalidArgumentError', 'WeightsError', 'ComputationError'],
    cause: 'A tensor, feature map, weight or output of a model has another shape than it needs.',
    cure: 'The message has both shapes. Targets belong to images of the size that is made; a model that halves its input needs `multiple`.',
  },
  WRONG_SIZE: {
    classes: ['ImageError', 'WeightsError'],
    cause: 'Pixels or a file have not as many values or bytes as width, height, channels or model.json say.',
    cure: 'The message has both numbers; a file is not complete or belongs to another model.',
  },
  WRONG_STYLE: {
    classes: argument,
    cause:
      'A style file was made with another network, other weights, layers or another pooling or padding than the run has.',
    cure: 'Run with the network and the preset that it was made with, or make it again; the message names both.',
  },
  WRONG_TYPE: {
    classes: argument,
    cause: 'A value is of a type that its option does not accept, or options are an instance of a class.',
    cure: 'The message says what is accepted; options are a plain record.',
  },
  WRONG_WEIGHTS: {
    classes: weights,
    cause: 'Weights do not fit the network that they were given for.',
    cure: 'Use the weights of that network.',
  },
};

/** Cause and cure of every warning, for docs/errors.md. */
export const warningCodes: Readonly<Record<WarningCode, CodeEntry>> = {
  BACKEND_REPLACED: {
    cause:
      'The program asked tfjs for a backend that did not start, and tfjs chose another one, which computes. Or WebGPU has no GPU and computes in software, and the engine was left to the library, which goes on by wasm.',
    cure: "Await `tf.setBackend`, which gives false then, or use `useWasm()`, which says why; [Troubleshooting](guides/troubleshooting.md#backends). `engine: 'webgpu'` stays in software.",
  },
  CACHE_CORRUPT: {
    cause: 'A file in the cache does not match its SHA-256; it is removed and fetched again.',
    cure: 'Nothing; if it happens again, the disk may be failing.',
  },
  CACHE_READ_FAILED: {
    cause: 'The cache of weights cannot be read; weights are fetched as if there were none.',
    cure: 'Check the permissions of its folder: `tfjs-style-transfer weights locate`.',
  },
  CACHE_WRITE_FAILED: {
    cause: 'Downloaded weights cannot be kept.',
    cure: 'Free space, or name another folder by `TFJS_STYLE_TRANSFER_CACHE`.',
  },
  ENGINE_UNAVAILABLE: {
    cause:
      "The engine that `engine: 'auto'` prefers does not start here; the next one computes, more slowly. The message has the reason.",
    cure: "Remove the reason, or name an engine: `engine: 'tfjs'`.",
  },
  FILM_DAMAGED: {
    cause: 'ffmpeg could not decode parts of a film, which it left out or filled in.',
    cure: 'Nothing, if the film looks right in a player; else mend or encode it anew.',
  },
  IMAGE_LEFT_OUT: {
    cause:
      'A picture of those that a generator is trained on cannot be read; another one stands in its place.',
    cure: 'Nothing needs to be done. To go on with an interrupted training, leave the files as they are.',
  },
  LAYERS_LEFT_OUT: {
    cause:
      'A generator is trained with the small network of this package, which lacks the deepest layer of the loss.',
    cure: "Fetch VGG-19: `weights: 'vgg19'`, or `tfjs-style-transfer weights fetch --to conv4_1`.",
  },
  NOT_BALANCED: {
    cause:
      "A term of the loss is 0 both at the start and at an image of one colour, so that `balance: 'initial'` has nothing to divide it by, as the content loss of a picture of one colour.",
    cure: 'Nothing: its weight is as without `balance`. To be rid of the warning, give the term the weight 0.',
  },
  REGIONS_OVERLAP: {
    cause:
      'Masks of `regions` overlap by more than their soft borders: the styles of both shape that part of the picture.',
    cure: 'If that is what you want, nothing. Else draw masks whose values add up to 1 everywhere.',
  },
  REGIONS_UNCOVERED: {
    cause:
      'A part of the picture lies in no mask of `regions`, so that no style shapes it, only the content loss.',
    cure: 'If that is what you want, nothing. Else add a region for the rest, such as the inverted mask.',
  },
  SETTINGS_DIFFER: {
    cause:
      'A run that repeats another by its settings may give another picture: an image, an option or a version is not the recorded one. The message names each.',
    cure: 'If that is what you want, nothing. Else use the recorded images and versions, and leave out what replaces recorded options.',
  },
  SLOW_BACKEND: {
    cause:
      'The backend webgpu has no GPU and computes in software, where tensors of the program keep the call from going on by wasm, or wasm does not start.',
    cure: '`await useWasm()` first.',
  },
  SOUND_ENCODED: {
    cause:
      'The format of the output does not take the sound of the film as it is, so ffmpeg encodes it anew.',
    cure: 'Nothing, or name an output with the extension of the film.',
  },
  THREADS_UNAVAILABLE: {
    cause: 'Fewer threads start than the processor has cores; the message has the reason.',
    cure: 'Nothing: results are the same. To be rid of the warning, set `threads` to what starts.',
  },
};
